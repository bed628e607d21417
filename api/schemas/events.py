"""Events as the feed shows them: the envelope, with its place in the feed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from ledger.codec import Recorded


class EventOut(TypedDict):
    """One event as it was recorded."""

    position: Annotated[
        int, Field(description="Place in the feed: in the whole log, or the stream's version.")
    ]
    stream: str
    version: int
    type: str
    schema: Annotated[int, Field(description="Schema version of `data`.")]
    id: str
    at: str
    command: str
    actor: str
    region: str
    data: dict[str, Any]
    prev: Annotated[str, Field(description="Hash of the event before it in the stream.")]
    hash: Annotated[str, Field(description="SHA-256 that seals it to its place.")]


class EventsPage(TypedDict):
    """A page of the feed, oldest first."""

    items: list[EventOut]
    next: Annotated[
        int, Field(description="Ask for what comes `after` this, also once the end is reached.")
    ]


def event_out(position: int, recorded: Recorded) -> EventOut:
    """An event on the wire."""
    return {
        "position": position,
        "stream": recorded.stream,
        "version": recorded.version,
        "type": recorded.type,
        "schema": recorded.schema,
        "id": recorded.id,
        "at": recorded.at,
        "command": recorded.command,
        "actor": recorded.actor,
        "region": recorded.region,
        "data": recorded.data,
        "prev": recorded.prev,
        "hash": recorded.hash,
    }
