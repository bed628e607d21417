"""A ledger over DynamoDB whose calls are watched, and another process that is faster."""

from __future__ import annotations

from itertools import count

from ledger.service import (
    Context,
    Idempotency,
    Ledger,
    OrderRequestLine,
    Outcome,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
)
from ledger.service.clock import utc_now
from tests.support.api_calls import ApiCalls, Watched
from tests.support.event_stores import EventTables

_keys = count()


class Till:
    """A ledger whose calls are watched, and another process that is faster."""

    def __init__(self, tables: EventTables, auto_lanes: int = 1) -> None:
        recorder = tables.open()
        self.retry = Watched(base=0.001)
        self.time = utc_now()
        self.ledger = Ledger(
            recorder, retry=self.retry, clock=lambda: self.time, auto_lanes=auto_lanes
        )
        self.rival = Ledger(tables.open())
        self.api = ApiCalls(recorder)
        receive(self.ledger)
        self.api.take()

    def overtaken(self, times: int = 1, each: int = 1) -> None:
        """Let the rival commit before each of the next writes."""

        def overtake() -> None:
            for _ in range(each):
                receive(self.rival)

        self.api.before_write = [overtake] * times


def receive(ledger: Ledger, units: int = 10, sku: str = "A") -> Outcome:
    lines = (ReceiptLine(sku, "main", units),)
    return ledger.handle(ReceiveStock(lines), Context("ann", Idempotency("r", f"{next(_keys)}")))


def order(ledger: Ledger, order_id: str | None = None, units: int = 1) -> Outcome:
    lines = (OrderRequestLine("A", units),)
    context = Context("ann", Idempotency("orders", f"{next(_keys)}"))
    return ledger.handle(PlaceOrder(lines, order_id), context)
