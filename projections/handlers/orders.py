"""The function that keeps the list of orders up to date."""

from projections.handlers.consuming import consuming

handler = consuming("orders")
