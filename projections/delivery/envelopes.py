"""Batches of a DynamoDB stream, as EventBridge Pipes and as Lambda hand them over.

=====================  ========================  =============================================
what hands it over     a batch is                failures are answered with
=====================  ========================  =============================================
EventBridge Pipes      a JSON list of records    the `eventID` of every record that failed
event source mapping   `{"Records": [...]}`      the `SequenceNumber` of the first that failed
=====================  ========================  =============================================

A pipe with `AUTOMATIC_BISECT` halves what failed and tries again; a mapping with
`ReportBatchItemFailures` goes on from the lowest number answered, with all that follows it. Both
take an answer that names nothing for success, so a batch that can't be read at all raises.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from eventsourcing.persistence import StoredEvent

from ledger.codec import CorruptEvent, Recorded, check_seal, decode
from ledger.service.clock import parse_instant
from projections.delivery.details import identity_of

INSERT: Final = "INSERT"
T = TypeVar("T")


class UnreadableBatch(Exception):
    """What came is no batch of stream records."""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change of one item of the event table. `image` is the item after it, if there is one."""

    change: str
    event_id: str
    sequence_number: str
    keys: Mapping[str, Any]
    image: Mapping[str, Any] | None
    raw: Mapping[str, Any]
    """The record as it came."""

    @property
    def place(self) -> str:
        """Stream and version of the item, for people."""
        stream, version = (_value(self.keys, name) for name in ("stream", "version"))
        return f"{stream} version {version}"

    @property
    def of_another_purpose(self) -> bool:
        """Whether the item is no event of ours, and says so: a snapshot of the library's."""
        return self.image is not None and "purpose" in self.image

    def recorded(self) -> Recorded:
        """The event that was inserted.

        Raises
        ------
        CorruptEvent
            The item is not an envelope of ours, or its seal is broken; or it is an event that
            has no place on a bus, for want of a stream of ours or of a time.
        """
        try:
            stored = _stored(self.image or {})
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            stream, version = (_value(self.keys, name) for name in ("stream", "version"))
            number = int(version) if version.isdecimal() and len(version) < 20 else 0
            raise CorruptEvent(stream, number, f"not an event's item: {error!r:.200}") from error
        event = decode(stored)
        check_seal(stored)
        try:
            identity_of(event.stream)
            parse_instant(event.at)
        except ValueError as error:
            raise CorruptEvent(event.stream, event.version, f"not for a bus: {error}") from error
        return event


@dataclass(frozen=True, slots=True)
class StreamBatch:
    """Records of one shard, in their order, and how their failures are told."""

    records: Sequence[StreamRecord]
    of_a_pipe: bool

    def answer(self, failed: Container[StreamRecord]) -> dict[str, Any]:
        """The partial batch response that names what is to come again."""
        failures = [record for record in self.records if record in failed]
        if self.of_a_pipe:
            identifiers = [record.event_id for record in failures]
        else:
            identifiers = [record.sequence_number for record in failures[:1]]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in identifiers]}


def read_batch(event: object) -> StreamBatch:
    """The batch in either shape.

    Raises
    ------
    UnreadableBatch
        It has neither shape, or a record lacks what its failure would be told by.
    """
    of_a_pipe = isinstance(event, list)
    raw = event if of_a_pipe else event.get("Records") if isinstance(event, dict) else None
    if not isinstance(raw, list):
        msg = f"a list of stream records, or an object with Records, is expected: {event!r:.200}"
        raise UnreadableBatch(msg)
    return StreamBatch([_record(record) for record in raw], of_a_pipe)


def batch_json(records: Iterable[Mapping[str, Any]]) -> str:
    """Records, also as `GetRecords` answers them, as the JSON that a Lambda function gets."""
    return json.dumps({"Records": list(records)}, default=_as_json, separators=(",", ":"))


def _as_json(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    msg = f"a stream record holds a {type(value).__name__}"
    raise TypeError(msg)


def _record(raw: Any) -> StreamRecord:
    try:
        change = raw["dynamodb"]
        return StreamRecord(
            _a(str, raw["eventName"]),
            _a(str, raw["eventID"]),
            _a(str, change["SequenceNumber"]),
            _a(dict, change["Keys"]),
            _a(dict, change["NewImage"]) if "NewImage" in change else None,
            raw,
        )
    except (KeyError, TypeError) as error:
        msg = f"a record of a DynamoDB stream lacks {error}: {raw!r:.200}"
        raise UnreadableBatch(msg) from error


def _stored(image: Mapping[str, Any]) -> StoredEvent:
    """The event in an item; names that are no Unicode text are no names."""
    stream, topic = _a(str, image["stream"]["S"]), _a(str, image["type"]["S"])
    f"{stream}{topic}".encode()
    return StoredEvent(stream, int(image["version"]["N"]), topic, _bytes(image["state"]["B"]))


def _a(kind: type[T], value: object) -> T:
    """The value, which must be of this type."""
    if isinstance(value, kind):
        return value
    raise TypeError(f"a {kind.__name__}: {value!r:.50} is none")


def _bytes(value: object) -> bytes:
    """A binary value: base64 in JSON, bytes from `GetRecords`."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return base64.b64decode(value, validate=True)
    msg = f"a binary value is {type(value).__name__}"
    raise TypeError(msg)


def _value(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return str(next(iter(value.values()), "?")) if isinstance(value, dict) else "?"
