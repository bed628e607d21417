"""The function that tells people and systems what there is to tell."""

from projections.handlers.consuming import consuming

handler = consuming("notifications")
