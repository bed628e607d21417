"""Event stores: persistence modules for the `eventsourcing` library, one file each."""
