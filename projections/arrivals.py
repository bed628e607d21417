"""Events as they arrive: stored bytes from the log, or decoded already by who delivered them."""

from __future__ import annotations

from eventsourcing.persistence import StoredEvent

from ledger.codec import Recorded
from ledger.event_reader import decode_event

Arrived = StoredEvent | Recorded
"""An event whose bytes are read only if they are needed."""


def stream_of(event: Arrived) -> str:
    """The event's stream."""
    return event.stream if isinstance(event, Recorded) else str(event.originator_id)


def version_of(event: Arrived) -> int:
    """The event's place in its stream."""
    return event.version if isinstance(event, Recorded) else event.originator_version


def type_of(event: Arrived) -> str:
    """The event's type, such as `StockReserved`."""
    return event.type if isinstance(event, Recorded) else event.topic


def recorded(event: Arrived) -> Recorded:
    """The event, decoded to be folded.

    Raises
    ------
    CorruptEvent
        The stored bytes are not an envelope.
    """
    return event if isinstance(event, Recorded) else decode_event(event)
