"""How events come to those who wait for them: in one process, or by stream, bus and queues."""
