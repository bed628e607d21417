"""Commands in, one atomic commit each out."""

from ledger.service.commands import (
    AdjustmentLine,
    AdjustStock,
    CancelOrder,
    Command,
    LineWanted,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ReturnLine,
    ReturnStock,
    SetLanes,
    SetPositionPolicy,
    ShipOrder,
)
from ledger.service.context import Context, Idempotency
from ledger.service.ledger import Ledger
from ledger.service.outcome import Outcome

__all__ = [
    "AdjustStock",
    "AdjustmentLine",
    "CancelOrder",
    "Command",
    "Context",
    "Idempotency",
    "Ledger",
    "LineWanted",
    "OrderRequestLine",
    "Outcome",
    "PlaceOrder",
    "ReceiptLine",
    "ReceiveStock",
    "ReturnLine",
    "ReturnStock",
    "SetLanes",
    "SetPositionPolicy",
    "ShipOrder",
]
