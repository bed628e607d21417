"""A Region that has taken the lease, and sweeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ledger.lease import Fence, Grant, Lease, Standing
from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_sweeps import Sweep, SweepTable
from projections.delivery.taking import Done, OnTaking, Part
from tests.support.event_stores import EventTables
from tests.support.feeds import events

HERE, ELSEWHERE = "ap-southeast-2", "ap-southeast-4"
PAGE = 4
STREAMS = {f"s{number}": 1 + number % 6 for number in range(12)}
"""Every stream, and its newest version; some lie on two pages."""


@dataclass
class World:
    """A Region that holds the lease, events, and what was done for them."""

    stores: EventTables
    epoch: int = 1
    holder: str = HERE
    lots: list[Mapping[str, int]] = field(default_factory=list)
    before: Callable[[], object] = lambda: None
    """What happens just before a lot is done."""

    def __post_init__(self) -> None:
        self.lease = Lease(self.standing, HERE, reread=0.0)
        self.tables = self.stores.connect()
        self.tables.lease = self.lease
        self.table = SweepTable(self.tables.client, self.tables.prefix, "x")
        writer = DynamoDBLedgerRecorder(self.stores.connect(), sequences=False)
        for stream, newest in STREAMS.items():
            writer.insert_events(events(stream, *range(1, newest + 1)))

    def standing(self) -> Standing:
        grant = Grant("open", self.epoch, self.holder, "", "")
        return Standing(grant, Fence(self.epoch, self.holder))

    def do(self, versions: Mapping[str, int]) -> Done:
        self.before()
        self.lots.append(dict(versions))
        return Done()

    def sweeper(self, *parts: Part, left: float = 0.0) -> OnTaking:
        """A process of its own; without any time left it takes a single step."""
        every = parts or (Part("all", self.do),)
        return OnTaking(
            self.tables, self.lease, "x", every, seconds_left=lambda: left, page_items=PAGE
        )

    def stored(self) -> Sweep:
        return self.table.read()

    def is_done(self) -> bool:
        return (self.stored().epoch, self.stored().parts) == (self.epoch, None)

    def steps(self, *parts: Part) -> int:
        """Sweep with a new process for each step, until it is done; how many it took."""
        for step in range(1, 100):
            self.sweeper(*parts)()
            if self.is_done():
                return step
        raise AssertionError("it comes to no end")


def newest(lots: list[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for lot in lots:
        for stream, version in lot.items():
            found[stream] = max(version, found.get(stream, version))
    return found
