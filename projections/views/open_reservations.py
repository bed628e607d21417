"""Open reservations: the orders that fall due, listed by when.

Apart from `orders`, because finding what is due must cost what is due and not what is open. An
order that falls due no more keeps its row, as the gate for its later events; it is in no listing
and takes no place in the index.
"""

from __future__ import annotations

from projections.views.order_rows import OrderRows


class OpenReservationsView(OrderRows):
    """One row per order; those with units that are held until some time are listed, the first to
    fall due first.
    """

    order = ("due_at", "order_id")
    indexes = (("due_at", "order_id"),)

    def __init__(self, base: str = "open_reservations") -> None:
        super().__init__(base)
