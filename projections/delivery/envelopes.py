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
from typing import Any, Final

from eventsourcing.persistence import StoredEvent

from ledger.codec import CorruptEvent, Recorded, check_seal, decode

INSERT: Final = "INSERT"


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
            The item is not an envelope of ours, or its seal is broken.
        """
        image = self.image or {}
        try:
            stored = StoredEvent(
                image["stream"]["S"],
                int(image["version"]["N"]),
                image["type"]["S"],
                _bytes(image["state"]["B"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            stream, version = (_value(self.keys, name) for name in ("stream", "version"))
            number = int(version) if version.isdecimal() else 0
            raise CorruptEvent(stream, number, f"not an event's item: {error!r}") from error
        event = decode(stored)
        check_seal(stored)
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
            raw["eventName"],
            raw["eventID"],
            change["SequenceNumber"],
            change["Keys"],
            change.get("NewImage"),
            raw,
        )
    except (KeyError, TypeError) as error:
        msg = f"a record of a DynamoDB stream lacks {error}: {raw!r:.200}"
        raise UnreadableBatch(msg) from error


def _bytes(value: object) -> bytes:
    """A binary value: base64 in JSON, bytes from `GetRecords`."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return base64.b64decode(value, validate=True)
    msg = f"a binary value is {type(value).__name__}"
    raise TypeError(msg)


def _value(item: Mapping[str, Any], name: str) -> str:
    return str(next(iter(item.get(name, {}).values()), "?"))
