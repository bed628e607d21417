"""The function that keeps the list of orders that fall due up to date."""

from projections.handlers.consuming import consuming

handler = consuming("open_reservations")
