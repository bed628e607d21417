"""A bus in memory: `PutEvents` on one side, queues behind the bus's own rules on the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from pydantic_core import from_json, to_json

from projections.delivery.rules import matches, rules
from projections.pump.queues import LocalQueue
from projections.pump.tickets import Ticket


class LocalBus:
    """Routes events to the queues whose rule they match. For one publishing thread."""

    def __init__(self, queues: Sequence[LocalQueue]) -> None:
        self._routes = [(rules()[queue.name], queue) for queue in queues]
        self._ticket: Ticket | None = None

    @contextmanager
    def under(self, ticket: Ticket) -> Iterator[None]:
        """Let what is published meanwhile be messages of a ticket."""
        self._ticket = ticket
        try:
            yield
        finally:
            self._ticket = None

    def put_events(self, *, Entries: Sequence[Any]) -> Mapping[str, Any]:  # noqa: N803
        """Put entries on the bus, as the client of EventBridge does."""
        ticket = self._ticket or Ticket()
        taken = []
        for entry in Entries:
            event = _event(entry)
            body = to_json(event).decode()
            for pattern, queue in self._routes:
                if matches(pattern, event):
                    queue.send(body, ticket)
            taken.append({"EventId": event["id"]})
        return {"FailedEntryCount": 0, "Entries": taken}


def _event(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The event that EventBridge makes of an entry."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": "000000000000",
        "time": f"{entry['Time']:%Y-%m-%dT%H:%M:%SZ}",
        "region": "local",
        "resources": list(entry["Resources"]),
        "detail": from_json(entry["Detail"]),
    }
