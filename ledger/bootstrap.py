"""The composition root of the ledger itself."""

from __future__ import annotations

from ledger.service.ledger import Ledger
from ledger.settings import Settings
from ledger.store.sqlite import open_recorder


def open_ledger(settings: Settings, *, bulk: bool = False) -> Ledger:
    """The ledger on the store the settings name.

    `bulk` is for loads that can be repeated after a power cut: commits reach the disk when the
    ledger is closed, not one by one. Nothing is lost when only the process dies.
    """
    return Ledger(
        open_recorder(settings.sqlite_path, synchronous="NORMAL" if bulk else "FULL"),
        locations=settings.locations,
        region=settings.region,
        cache_size=settings.cache_size,
    )
