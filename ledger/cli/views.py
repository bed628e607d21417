"""The views of a store, brought up to what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.service import Ledger
from ledger.settings import Settings
from projections.bootstrap import Projections, open_from_settings


@contextmanager
def projected(settings: Settings, ledger: Ledger) -> Iterator[Projections]:
    """The projections of a ledger's store, closed at the end."""
    projections = open_from_settings(ledger.recorder, settings)
    try:
        yield projections
    finally:
        projections.close()


def catch_up(projections: Projections) -> None:
    """Apply everything that was recorded and is not in the views yet."""
    while projections.runner.catch_up():
        pass
