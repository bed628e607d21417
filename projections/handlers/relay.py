"""The function that publishes the event table's stream to the bus."""

from __future__ import annotations

from ledger.settings import Settings
from projections.delivery.clients import make_events_client
from projections.delivery.publisher import Publisher
from projections.delivery.relay import RELAY, Relay
from projections.handlers.runtime import Handle, dead_letters, handler_of, metrics


def make_relay() -> Handle:
    """The relay of the settings in the environment."""
    settings = Settings()
    if settings.bus == "off":
        msg = "LEDGER_BUS names no bus to publish to"
        raise RuntimeError(msg)
    publisher = Publisher(make_events_client(), settings.bus)
    return Relay(publisher, dead_letters(settings), meter=metrics(RELAY)).handle


handler = handler_of(RELAY, make_relay)
