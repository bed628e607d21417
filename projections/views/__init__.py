"""Read models: one file each, one pure fold each."""

from projections.views.base import Key, Row, View
from projections.views.open_reservations import OpenReservationsView
from projections.views.order_rows import OrderRow
from projections.views.orders import OrdersView
from projections.views.stock_levels import StockLevelsView, StockRow

__all__ = [
    "Key",
    "OpenReservationsView",
    "OrderRow",
    "OrdersView",
    "Row",
    "StockLevelsView",
    "StockRow",
    "View",
]
