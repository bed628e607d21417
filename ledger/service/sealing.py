"""Drafts become a commit: versions, times, ids and hashes, ready to be appended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from eventsourcing.persistence import StoredEvent

from ledger.codec import Recorded, Stamp, encode
from ledger.domain.events import Event
from ledger.service.clock import instant, later
from ledger.service.heads import Head

Draft = tuple[str, Event]
"""A stream id and the event that a decision wants to append to it."""


@dataclass(frozen=True, slots=True)
class Commit:
    """All events of one decision, in the order they are appended."""

    recorded: tuple[Recorded, ...]
    stored: tuple[StoredEvent, ...]


def seal(
    drafts: Sequence[Draft],
    heads: Mapping[str, Head],
    *,
    now: datetime,
    new_id: Callable[[], str],
    actor: str,
    region: str,
) -> Commit:
    """Seal drafts onto the heads they were decided on.

    All events of a commit have one time, the later of `now` and 1 µs after the newest event of
    any of its streams; a second event of one stream comes 1 µs after the first.
    """
    at = instant(now)
    command = new_id()
    tails: dict[str, tuple[int, str]] = {}
    for stream, _ in drafts:
        head = heads.get(stream)
        tails[stream] = (head.version, head.hash) if head is not None else (0, "")
        if head is not None and head.at >= at:
            at = later(head.at)
    seen: dict[str, int] = {}
    stamps: dict[int, Stamp] = {}
    recorded, stored = [], []
    for stream, event in drafts:
        nth = seen.get(stream, 0)
        seen[stream] = nth + 1
        if nth not in stamps:
            stamps[nth] = Stamp(later(at, nth) if nth else at, command, actor, region, len(drafts))
        version, prev = tails[stream]
        one, raw = encode(
            stream, version + 1, event, event_id=new_id(), stamp=stamps[nth], prev=prev
        )
        tails[stream] = (version + 1, one.hash)
        recorded.append(one)
        stored.append(raw)
    return Commit(tuple(recorded), tuple(stored))
