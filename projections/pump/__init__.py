"""The pump: delivery on one machine, from the stream of any DynamoDB endpoint.

It feeds the very relay and consumers that run on AWS, through a bus and queues of its own.
"""
