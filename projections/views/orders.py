"""Orders: one summary per order, the newest first."""

from __future__ import annotations

from projections.views.order_rows import OrderRows


class OrdersView(OrderRows):
    """One row per order, listed newest first."""

    order = ("placed_at", "order_id")
    newest_first = True
    indexes = (
        ("placed_at", "order_id"),
        ("status", "placed_at", "order_id"),
        ("customer", "placed_at", "order_id"),
        ("task",),
    )

    def __init__(self, base: str = "orders") -> None:
        super().__init__(base)
