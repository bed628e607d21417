"""Publishing events to a bus: `PutEvents` in as few calls as its limits allow."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pydantic_core import to_json

from ledger.codec import Recorded
from ledger.service.clock import parse_instant
from projections.delivery.details import detail_of

log = logging.getLogger(__name__)

SOURCE: Final = "ledger"
"""The source of every event on the bus, which rules match."""

MAX_ENTRIES: Final = 10
MAX_CALL_BYTES: Final = 256 * 1024
"""Limits of one `PutEvents`."""

MAX_ENTRY_BYTES: Final = 200 * 1024
"""An entry above this size travels without the event's data: whoever receives it adds to it, and
queues have limits of their own."""

TIME_BYTES: Final = 14
"""What EventBridge counts for an entry's time ("Calculating PutEvents event entry size")."""

BUDGET_SECONDS: Final = 10.0
BACKOFF_BASE_SECONDS: Final = 0.1
BACKOFF_CAP_SECONDS: Final = 2.0


class EventsClient(Protocol):
    """What is used of a client of EventBridge."""

    def put_events(self, *, Entries: Sequence[Any]) -> Mapping[str, Any]:  # noqa: N803
        """Put entries on their buses; the answer tells of each in its place."""


@dataclass(frozen=True, slots=True)
class _Entry:
    event: Recorded
    content: dict[str, Any]
    size: int


class Publisher:
    """Publishes events to one bus, at least once each, in no order that anybody may rely on.

    Parameters
    ----------
    budget
        Seconds within which entries that failed are tried again, after a random pause that grows
        with every try.
    """

    def __init__(
        self,
        client: EventsClient,
        bus: str,
        *,
        source: str = SOURCE,
        budget: float = BUDGET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._client = client
        self._bus = bus
        self._source = source
        self._budget = budget
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter

    def publish(self, events: Sequence[Recorded], *, replay: str | None = None) -> list[Recorded]:
        """Publish events; answers those that the bus would not take within the budget.

        Parameters
        ----------
        replay
            Names the run that publishes history again; None for news.
        """
        left = [self._entry(event, replay) for event in events]
        deadline, longest = self._clock() + self._budget, BACKOFF_BASE_SECONDS
        while left:
            left = [entry for call in _calls(left) for entry in self._put(call)]
            pause = self._jitter(0, longest)
            if not left or self._clock() + pause > deadline:
                break
            self._sleep(pause)
            longest = min(BACKOFF_CAP_SECONDS, 2 * longest)
        return [entry.event for entry in left]

    def _entry(self, event: Recorded, replay: str | None) -> _Entry:
        entry = self._sized(event, replay, with_data=True)
        if entry.size > MAX_ENTRY_BYTES:
            return self._sized(event, replay, with_data=False)
        return entry

    def _sized(self, event: Recorded, replay: str | None, *, with_data: bool) -> _Entry:
        detail = to_json(detail_of(event, self._source, replay=replay, with_data=with_data))
        content = {
            "EventBusName": self._bus,
            "Source": self._source,
            "DetailType": event.type,
            "Time": parse_instant(event.at),
            "Resources": [],
            "Detail": detail.decode(),
        }
        size = TIME_BYTES + len(self._source.encode()) + len(event.type.encode()) + len(detail)
        return _Entry(event, content, size)

    def _put(self, entries: Sequence[_Entry]) -> list[_Entry]:
        """One call; answers the entries that were not taken."""
        try:
            answer = self._client.put_events(Entries=[entry.content for entry in entries])
        except (ClientError, BotoCoreError) as error:
            log.warning("publishing %s events to %s: %s", len(entries), self._bus, error)
            return list(entries)
        if not answer["FailedEntryCount"]:
            return []
        told = list(zip(entries, answer["Entries"], strict=True))
        failed = [(entry, result) for entry, result in told if "ErrorCode" in result]
        for entry, result in failed:
            log.warning(
                "publishing %s version %s: %s: %s",
                entry.event.stream,
                entry.event.version,
                result["ErrorCode"],
                result.get("ErrorMessage", ""),
                extra={"correlation_id": entry.event.command},
            )
        return [entry for entry, _ in failed]


def _calls(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    """The entries, as many together as one call takes."""
    call: list[_Entry] = []
    size = 0
    for entry in entries:
        if len(call) == MAX_ENTRIES or (call and size + entry.size > MAX_CALL_BYTES):
            yield call
            call, size = [], 0
        call.append(entry)
        size += entry.size
    if call:
        yield call
