"""Random but valid histories, made by the real ledger.

Commits are cut small while a history is made, so that orders of a few lines take several commits
as only very large ones do otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from eventsourcing.persistence import Notification
from hypothesis import strategies as st

from ledger.domain import allocation
from ledger.domain.errors import OrderNotFound, Refusal
from ledger.domain.streams import stock_stream
from ledger.domain.values import Disposition, OrderPolicy
from ledger.service import Context, Ledger, commands, decisions
from ledger.store.sqlite import SQLiteLedgerRecorder, open_recorder

SKUS = ("S0", "S1", "S2", "S3")
LOCATIONS = ("A", "B")
ORDER_IDS = ("O0", "O1", "O2", "O3")
POLICIES = tuple(OrderPolicy)
START = datetime(2026, 1, 1, tzinfo=UTC)

KINDS = (
    "receive",
    "adjust",
    "return",
    "policy",
    "place",
    "ship",
    "ship_some",
    "cancel",
    "cancel_some",
    "expire",
    "advance",
    "promote",
)


@dataclass(frozen=True, slots=True)
class Move:
    """Something a client or the order processor does; the numbers choose what exactly."""

    kind: str
    a: int
    b: int
    c: int


_numbers = st.integers(0, 5)
_weighted = st.sampled_from(
    (*KINDS, "receive", "receive", "place", "place", "place", "advance", "advance", "promote")
)
moves: st.SearchStrategy[list[Move]] = st.lists(
    st.builds(Move, _weighted, _numbers, _numbers, _numbers), min_size=20, max_size=50
)
"""A history to be made by `World.play`."""


@contextmanager
def small_commits(positions: int = 2, lines: int = 3) -> Iterator[None]:
    """Let a commit hold few positions, and an event few lines."""
    with (
        patch.object(allocation, "MAX_POSITIONS_PER_COMMIT", positions),
        patch.object(allocation, "MAX_LINES_PER_EVENT", lines),
        patch.object(decisions, "MAX_LINES_PER_EVENT", lines),
    ):
        yield


class World:
    """A ledger on a file, with a clock and ids that are the same every time."""

    def __init__(self, folder: str | Path, name: str = "ledger.db") -> None:
        self.path = Path(folder) / name
        self.recorder: SQLiteLedgerRecorder = open_recorder(self.path)
        self._seconds = itertools.count()
        self._ids = itertools.count(1)
        self.ledger = Ledger(
            self.recorder, locations=LOCATIONS, clock=self.clock, new_id=self._new_id
        )

    def clock(self) -> datetime:
        """A second later with every look."""
        return START + timedelta(seconds=next(self._seconds))

    def pass_time(self, seconds: int) -> None:
        """Let the clock run on."""
        self._seconds = itertools.count(next(self._seconds) + seconds)

    def play(self, history: Iterable[Move]) -> None:
        """Stock up, then do the moves; those that are refused change nothing."""
        with small_commits():
            for sku in SKUS:
                self.handle(commands.ReceiveStock((commands.ReceiptLine(sku, "A", 5),)))
            for move in history:
                with suppress(Refusal):
                    self._do(move)

    def log(self) -> Sequence[Notification]:
        """Every event, in log order."""
        return self.recorder.select_notifications(0, 1_000_000, inclusive_of_start=False)

    def handle(self, command: commands.Command) -> None:
        """Hand a command to the ledger."""
        self.ledger.handle(command, Context())

    def _do(self, move: Move) -> None:
        sku, location = SKUS[move.a % len(SKUS)], LOCATIONS[move.b % len(LOCATIONS)]
        order_id = ORDER_IDS[move.a % len(ORDER_IDS)]
        match move.kind:
            case "advance":
                self.ledger.advance(order_id)
            case "promote":
                for name in SKUS:
                    self.ledger.promote(stock_stream(name, location))
            case "expire":
                self.ledger.expire(order_id, START + timedelta(days=1))
            case kind:
                self.handle(command_of(kind, move, sku, location, order_id))
                if move.c % 2:
                    self.advance_all()

    def advance_all(self) -> None:
        """Finish what is under way for any order."""
        for order_id in ORDER_IDS:
            with suppress(OrderNotFound):
                self.ledger.advance(order_id)

    def _new_id(self) -> str:
        return f"00000000-0000-7000-8000-{next(self._ids):012d}"


def command_of(kind: str, move: Move, sku: str, location: str, order_id: str) -> commands.Command:
    """The client's command a move stands for."""
    units = move.c + 1
    match kind:
        case "receive":
            return commands.ReceiveStock((commands.ReceiptLine(sku, location, units * 4),))
        case "adjust":
            delta = move.c - 2 or 1
            return commands.AdjustStock((commands.AdjustmentLine(sku, location, delta, "count"),))
        case "return":
            fate = tuple(Disposition)[move.c % 2]
            return commands.ReturnStock((commands.ReturnLine(sku, location, units, fate),))
        case "policy":
            return commands.SetPositionPolicy(sku, location, move.c or None)
        case "place":
            return _place(move, order_id)
        case "ship":
            return commands.ShipOrder(order_id)
        case "ship_some":
            wanted = tuple(commands.LineWanted(n, 1) for n in range(1, move.b + 2))
            return commands.ShipOrder(order_id, wanted)
        case "cancel":
            return commands.CancelOrder(order_id, reason="changed my mind")
        case _:
            return commands.CancelOrder(order_id, tuple(range(1, move.b + 2)))


def _place(move: Move, order_id: str) -> commands.PlaceOrder:
    lines = tuple(
        commands.OrderRequestLine(
            SKUS[(move.a + i) % len(SKUS)],
            1 + (move.a + i) % 4,
            (None, *LOCATIONS, *LOCATIONS)[(move.c + i) % 5],
        )
        for i in range(move.b + 2)
    )
    return commands.PlaceOrder(
        lines,
        order_id=order_id,
        customer=None if move.c == 5 else f"customer-{move.c % 2}",
        policy=POLICIES[move.c % len(POLICIES)],
        reservation_ttl_seconds=60 if move.b % 2 else None,
    )
