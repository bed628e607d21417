"""The composition root of the ledger itself."""

from __future__ import annotations

from ledger.service.ledger import Ledger
from ledger.settings import Settings
from ledger.store.sqlite import open_recorder


def open_ledger(settings: Settings) -> Ledger:
    """The ledger on the store the settings name."""
    return Ledger(
        open_recorder(settings.sqlite_path),
        locations=settings.locations,
        region=settings.region,
        cache_size=settings.cache_size,
    )
