"""The canonical envelope: how an event becomes bytes, and back.

An envelope is one compact JSON object in UTF-8, its keys in this order: `type`, `schema`, `id`
(UUIDv7), `at` (UTC, microseconds), `command` (UUIDv7 of the command whose commit it is), `actor`,
`region`, `size` (how many events the commit holds), `data` (the event's own fields), `prev` (hash
of the event before it in its stream; empty for the first) and `hash`.

`hash` is the hexadecimal SHA-256 of the stream id, a line feed, the version in decimal, a line
feed, and the envelope's bytes without its `hash` member. It seals the event to its place; `prev`
chains the stream. The bytes are stored verbatim and never written again, so a hash can be checked
for ever, also by those who don't know the event.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from eventsourcing.persistence import StoredEvent
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ledger.domain.events import CATALOGUE, Event
from ledger.upcasts import UPCASTS

_SEAL: Final = re.compile(rb',"hash":"([0-9a-f]{64})"}\Z')
_SEAL_LENGTH: Final = len(b',"hash":""}') + 64


class CorruptEvent(Exception):
    """Stored bytes that are not what was recorded, or that this version can't read."""

    def __init__(self, stream: str, version: int, why: str) -> None:
        self.stream = stream
        self.version = version
        self.why = why
        super().__init__(f"{stream} version {version}: {why}")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the events of one commit have in common."""

    at: str
    command: str
    actor: str
    region: str
    size: int


@dataclass(slots=True)
class Recorded:
    """One event of one stream as it was recorded. `event` decodes and upcasts when asked for."""

    stream: str
    version: int
    type: str
    schema: int
    id: str
    at: str
    command: str
    actor: str
    region: str
    size: int
    prev: str
    hash: str
    _data: dict[str, Any] | None = field(default=None, repr=False, compare=False)
    _event: Event | None = field(default=None, repr=False, compare=False)
    _state: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def data(self) -> dict[str, Any]:
        """The event's own fields as JSON values, in the schema they were recorded with."""
        if self._data is None and self._state is not None:
            self._data = from_json(self._state, cache_strings="keys")["data"]
        elif self._data is None and self._event is not None:
            self._data = self._event.model_dump(mode="json", exclude_none=True)
        return self._data or {}

    @property
    def event(self) -> Event:
        """The event in today's schema.

        Raises
        ------
        CorruptEvent
            The type is unknown, or the data doesn't fit it.
        """
        if self._event is None:
            self._event = self._decode()
        return self._event

    def _decode(self) -> Event:
        kind = CATALOGUE.get(self.type)
        if kind is None:
            raise CorruptEvent(self.stream, self.version, f"unknown event type {self.type!r}")
        if self.schema > kind.schema_version:
            why = f"{self.type} has schema {self.schema}, newer than {kind.schema_version}"
            raise CorruptEvent(self.stream, self.version, why)
        if self.schema < 1:
            why = f"{self.type} has schema {self.schema}, older than the first"
            raise CorruptEvent(self.stream, self.version, why)
        data = self.data
        for schema in range(self.schema, kind.schema_version):
            data = UPCASTS[self.type, schema](data)
        try:
            event: Event = kind.__pydantic_validator__.validate_python(data)
            return event
        except ValidationError as error:
            raise CorruptEvent(self.stream, self.version, str(error)) from error


def encode(
    stream: str, version: int, event: Event, *, event_id: str, stamp: Stamp, prev: str
) -> tuple[Recorded, StoredEvent]:
    """Seal one event; answers it as recorded and as it is stored."""
    name, schema, at, command = event.name, event.schema_version, stamp.at, stamp.command
    actor, region, size = stamp.actor, stamp.region, stamp.size
    body = b'%b%b,"prev":"%b"' % (
        f'{{"type":"{name}","schema":{schema},"id":"{event_id}","at":"{at}","command":"{command}",'
        f'"actor":{_quoted(actor)},"region":"{region}","size":{size},"data":'.encode(),
        event.__pydantic_serializer__.to_json(event, exclude_none=True),
        prev.encode(),
    )
    digest = _digest(stream, version, body + b"}")
    recorded = Recorded(
        stream,
        version,
        name,
        schema,
        event_id,
        at,
        command,
        actor,
        region,
        size,
        prev,
        digest,
        None,
        event,
    )
    return recorded, StoredEvent(
        stream, version, name, b'%b,"hash":"%b"}' % (body, digest.encode())
    )


def decode(stored: StoredEvent) -> Recorded:
    """Read an envelope; its seal is not checked here (see `check_seal`).

    Raises
    ------
    CorruptEvent
        The bytes are not an envelope.
    """
    stream = str(stored.originator_id)
    version = stored.originator_version
    try:
        raw = from_json(stored.state, cache_strings="keys")
        recorded = Recorded(
            stream,
            version,
            raw["type"],
            raw["schema"],
            raw["id"],
            raw["at"],
            raw["command"],
            raw["actor"],
            raw["region"],
            raw["size"],
            raw["prev"],
            raw["hash"],
            raw["data"],
        )
        check_types(recorded)
        return recorded
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptEvent(stream, version, f"not an envelope: {error}") from error


def check_types(recorded: Recorded) -> None:
    """Check that what was read is of the types it was recorded with.

    Raises
    ------
    TypeError
        A member is of another one.
    """
    r = recorded
    texts = (
        type(r.type)
        is type(r.id)
        is type(r.at)
        is type(r.command)
        is type(r.actor)
        is type(r.region)
        is type(r.prev)
        is type(r.hash)
        is str
    )
    if not (texts and type(r.schema) is type(r.size) is int and type(r._data) is dict):
        raise TypeError("a member is of another type than it is recorded with")


def check_seal(stored: StoredEvent) -> None:
    """Check that the bytes are those that were sealed for this stream and version.

    Raises
    ------
    CorruptEvent
        A byte of the envelope, its stream, its version or its topic was changed.
    """
    stream, version = str(stored.originator_id), stored.originator_version
    if not isinstance(stored.state, bytes):
        raise CorruptEvent(
            stream, version, f"its state is {type(stored.state).__name__}, not bytes"
        )
    seal = _SEAL.search(stored.state)
    if seal is None:
        raise CorruptEvent(stream, version, "the envelope has no seal")
    body = stored.state[:-_SEAL_LENGTH] + b"}"
    if _digest(stream, version, body) != seal[1].decode():
        raise CorruptEvent(stream, version, "the bytes are not those that were sealed")
    if not stored.state.startswith(f'{{"type":"{stored.topic}",'.encode()):
        raise CorruptEvent(stream, version, f"the topic {stored.topic!r} is not the event's type")


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return to_json(text).decode()


def _digest(stream: str, version: int, body: bytes) -> str:
    return hashlib.sha256(f"{stream}\n{version}\n".encode() + body).hexdigest()
