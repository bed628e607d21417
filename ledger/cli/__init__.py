"""The command `ledger`."""

from ledger.cli.app import app, main

__all__ = ["app", "main"]
