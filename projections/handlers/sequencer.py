"""The function that gives every event its place in the feed."""

from projections.handlers.consuming import consuming

handler = consuming("sequencer")
