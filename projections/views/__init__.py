"""Read models: one file each, one pure fold each."""

from projections.views.base import Key, Row, View
from projections.views.orders import OrderRow, OrdersView
from projections.views.stock_levels import StockLevelsView, StockRow

__all__ = ["Key", "OrderRow", "OrdersView", "Row", "StockLevelsView", "StockRow", "View"]
