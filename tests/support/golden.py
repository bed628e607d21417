"""One example of every event type, and the golden file that pins its bytes for ever.

`python -m tests.support.golden` writes the files of types or schema versions that have none. An
existing file is never written again: history holds such bytes, and they must stay readable.
"""

from __future__ import annotations

from pathlib import Path

from eventsourcing.persistence import StoredEvent

from ledger.codec import Stamp, encode
from ledger.domain import events as e
from ledger.domain.balance import Balance, Lanes
from ledger.domain.values import Disposition, Money, OrderPolicy

FOLDER = Path(__file__).parent.parent / "golden"

STAMP = Stamp(
    at="2026-11-22T09:39:56.123456Z",
    command="01a202b7-55b7-7024-b8d6-c58ccd19bb7e",
    actor="anna@example.com",
    region="local",
    size=2,
)
EVENT_ID = "01a202b7-55b7-7024-b8d6-c58d87a5fbf0"
PREV = "d445fcd552f784cd1c60fbfcbb2026f6673d332173a7bdf6baaec29a61f80cf5"

BALANCE = Balance(on_hand=20, reserved=4, backordered=0, damaged=1, low_stock_threshold=5)
WAITING = Balance(on_hand=4, reserved=4, backordered=6, queue_from=8)
SPLIT = Lanes(count=4, streams=8, gathered=True)
LANE = Balance(on_hand=3, reserved=3, lanes=SPLIT, escrowed=-5)
LINES = (
    e.OrderLine(line=1, sku="85123A", quantity=10),
    e.OrderLine(line=2, sku="71053", quantity=2, location="north"),
)
PARTS = (
    e.Allocation(line=1, location="main", reserved=4, backordered=6, entry=8),
    e.Allocation(line=2, location="north", reserved=2),
)
SHORT = (e.Shortfall(sku="85123A", requested=10, available=4, lines=(1,)),)

EXAMPLES: tuple[e.Event, ...] = (
    e.StockReceived(
        quantity=12, cost=Money(amount=255, currency="GBP"), reference="PO-7", balance=BALANCE
    ),
    e.StockAdjusted(delta=-3, reason="wet & damaged “£”", reference="count-1", balance=BALANCE),
    e.StockReserved(order_id="536365", quantity=4, balance=BALANCE),
    e.StockBackordered(order_id="536365", quantity=6, reserved=4, balance=WAITING),
    e.BackorderPromoted(order_id="536365", quantity=2, entry=8, balance=WAITING),
    e.ReservationReleased(order_id="536365", quantity=4, backordered=6, balance=BALANCE),
    e.ReservationExpired(order_id="536365", quantity=4, balance=BALANCE),
    e.StockShipped(order_id="536365", quantity=4, balance=BALANCE),
    e.StockReturned(
        quantity=1,
        disposition=Disposition.DAMAGED,
        order_id="536365",
        reference="RMA-1",
        balance=BALANCE,
    ),
    e.PositionPolicySet(low_stock_threshold=5, balance=BALANCE),
    e.StockEscrowed(delta=-5, balance=LANE),
    e.PositionLanesSet(delta=-5, lanes=SPLIT, balance=LANE),
    e.OrderPlaced(
        policy=OrderPolicy.BACKORDER,
        customer="17850",
        expires_at="2026-11-23T09:39:56.123456Z",
        line_count=2,
        lines=LINES,
        allocations=PARTS,
        unfilled=(e.LineQuantity(line=1, quantity=1),),
    ),
    e.OrderLinesAdded(lines=LINES),
    e.OrderAllocated(allocations=PARTS, unfilled=(e.LineQuantity(line=1, quantity=1),)),
    e.OrderDeallocated(released=PARTS, shortfalls=SHORT),
    e.OrderRejected(
        shortfalls=SHORT,
        policy=OrderPolicy.ALL_OR_NOTHING,
        customer="17850",
        line_count=2,
        lines=LINES,
    ),
    e.BackorderAllocated(allocations=(e.Allocation(line=1, location="main", reserved=2),)),
    e.ShipmentStarted(
        shipment_id="S-1", lines=(e.LineQuantity(line=1, quantity=4),), reference="DHL 1"
    ),
    e.OrderShipped(shipment_id="S-1", shipped=PARTS[1:], reference="DHL 1"),
    e.CancellationStarted(units=12, lines=(1, 2), reason="changed my mind"),
    e.OrderCancelled(released=PARTS, reason="changed my mind"),
    e.ExpiryStarted(),
    e.OrderExpired(released=PARTS),
)


def path_of(event: e.Event) -> Path:
    """The golden file of an event's type and schema version."""
    return FOLDER / f"{event.name}.{event.schema_version}.json"


def stored(event: e.Event) -> StoredEvent:
    """The example sealed into a fixed place of history."""
    stream = "stock:85123A@main" if isinstance(event, e.PositionEvent) else "order:536365"
    return encode(stream, 9, event, event_id=EVENT_ID, stamp=STAMP, prev=PREV)[1]


def main() -> None:
    """Write the golden files that are missing."""
    FOLDER.mkdir(exist_ok=True)
    for event in EXAMPLES:
        path = path_of(event)
        if not path.exists():
            path.write_bytes(stored(event).state + b"\n")
            print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
