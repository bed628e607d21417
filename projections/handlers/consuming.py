"""What the consumers' functions share: batches of a queue in, those to come again out."""

from __future__ import annotations

from ledger.bootstrap import open_ledger
from ledger.settings import Settings
from projections.delivery.consumer import Consumer
from projections.delivery.consumers import CONSUMERS, Parts
from projections.handlers.runtime import Handler, dead_letters, handler_of, metrics


def consuming(name: str) -> Handler:
    """The handler of a consumer's function: batches of its queue, and sweeps of a schedule."""

    def make() -> Consumer:
        settings = Settings()
        letters = dead_letters(settings)
        return CONSUMERS[name](Parts(settings, open_ledger(settings), metrics, lambda _: letters))

    return handler_of(name, make)
