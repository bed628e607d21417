"""What a command answers."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.codec import Recorded
from ledger.domain.order import Order


@dataclass(frozen=True, slots=True)
class Outcome:
    """The events of the command's commit; the same for the first answer and for every replay.

    `order` is the order as it stood right after this commit, when the command was about one.
    A refused order is an outcome too: its `OrderRejected` is recorded. While a large order's
    work goes on, `order.task` says which.
    """

    events: tuple[Recorded, ...]
    order: Order | None = None
    replayed: bool = False
