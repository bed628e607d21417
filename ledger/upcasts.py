"""Old schema versions, brought up to date when they are read.

History is never rewritten: an upcast maps the `data` of one schema version to the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Data = dict[str, Any]


def _stock_received_1(data: Data) -> Data:
    """Schema 1 had `unit_cost` and `currency` side by side; schema 2 has one `cost`."""
    data = dict(data)
    amount, currency = data.pop("unit_cost", None), data.pop("currency", None)
    if amount is not None:
        data["cost"] = {"amount": amount, "currency": currency}
    return data


UPCASTS: Final[dict[tuple[str, int], Callable[[Data], Data]]] = {
    ("StockReceived", 1): _stock_received_1,
}
"""By event name and the schema version it reads."""
