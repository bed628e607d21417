"""The function that goes on with large orders, backorders and expiries."""

from projections.handlers.consuming import consuming

handler = consuming("order_processor")
