"""The function that keeps the stock levels up to date."""

from projections.handlers.consuming import consuming

handler = consuming("stock_levels")
