"""The HTTP API over the ledger and its read models."""
