"""The command `ledger`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, or say what it needs where it was installed without that."""
    try:
        from ledger.cli.app import main as run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in {"api", "ledger", "projections"}:
            raise
        needed = "pip install 'inventory-ledger[cli]' installs what the command needs."
        print(f"Error: {error.name} is not installed. {needed}", file=sys.stderr)
        sys.exit(2)
    run()
