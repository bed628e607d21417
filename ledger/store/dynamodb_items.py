"""Events and command records as DynamoDB items, and the limits of a transaction of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import StoredEvent, Tracking
from pydantic_core import from_json, to_json

from ledger.errors import CommitTooLarge
from ledger.store.base import CommandRecord

Item = dict[str, dict[str, Any]]

EVENTS: Final = "events"
PURPOSE: Final = "purpose"
"""Attribute of whatever is no event but kept in the events' table, such as snapshots."""

MAX_ACTIONS: Final = 100
MAX_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
MAX_ITEM_BYTES: Final = 400 * 1024
"""Limits of `TransactWriteItems` and of an item (Service, account and table quotas)."""

EXPRESSION_BYTES: Final = 100
"""At least what a condition, its names and values take of a transaction: they count too."""


def check_limits(items: Sequence[Item]) -> None:
    """Check a transaction against the service's limits, before anything is sent.

    Raises
    ------
    CommitTooLarge
        Too many actions, an item over 400 KB, or more than 4 MB in all.
    """
    if len(items) > MAX_ACTIONS:
        msg = f"a transaction takes {MAX_ACTIONS} actions, this commit needs {len(items)}"
        raise CommitTooLarge(msg)
    if _at_most(items) <= MAX_ITEM_BYTES:
        return  # all of them together would fit one item: nobody needs their exact sizes
    sizes = [item_size(item) for item in items]
    if max(sizes) > MAX_ITEM_BYTES:
        largest = items[sizes.index(max(sizes))]
        name = next(iter(largest.values()))["S"]
        msg = f"an item holds {MAX_ITEM_BYTES} bytes, one of {name} needs {max(sizes)}"
        raise CommitTooLarge(msg)
    total = sum(sizes) + EXPRESSION_BYTES * len(items)
    if total > MAX_TRANSACTION_BYTES:
        msg = f"a transaction holds {MAX_TRANSACTION_BYTES} bytes, this needs {total}"
        raise CommitTooLarge(msg)


def event_item(stored: StoredEvent, purpose: str = EVENTS) -> Item:
    """An event's item. What has another purpose is set apart: by its stream, and by a mark."""
    if type(stored.state) is not bytes:
        msg = f"the state of {stored.originator_id} is {type(stored.state).__name__}, not bytes"
        raise TypeError(msg)
    item: Item = {
        "stream": {"S": f"{stream_prefix(purpose)}{stored.originator_id}"},
        "version": {"N": str(stored.originator_version)},
        "type": {"S": stored.topic},
        "state": {"B": stored.state},
    }
    if purpose != EVENTS:
        item[PURPOSE] = {"S": purpose}
    return item


def stream_prefix(purpose: str) -> str:
    """What sets streams of another purpose than events apart."""
    return "" if purpose == EVENTS else f"{purpose}#"


def stored_event(
    item: Mapping[str, Any], purpose: str = EVENTS, *, uuids: bool = False
) -> StoredEvent:
    """The event of an item."""
    stream = item["stream"]["S"].removeprefix(stream_prefix(purpose))
    return StoredEvent(
        UUID(stream) if uuids else stream,
        int(item["version"]["N"]),
        item["type"]["S"],
        item["state"]["B"],
    )


def command_item(record: CommandRecord) -> Item:
    """A command record's item."""
    item: Item = {
        "key": {"S": record.key},
        "fingerprint": {"S": record.fingerprint},
        "events": {"B": to_json(record.events)},
    }
    if record.expires_at is not None:
        item["expires_at"] = {"N": str(record.expires_at)}
    return item


def command_record(item: Mapping[str, Any]) -> CommandRecord:
    """The command record of an item."""
    events = tuple((stream, version) for stream, version in from_json(item["events"]["B"]))
    expires_at = int(item["expires_at"]["N"]) if "expires_at" in item else None
    return CommandRecord(item["key"]["S"], item["fingerprint"]["S"], events, expires_at)


def tracking_item(tracking: Tracking) -> Item:
    """A tracking's item."""
    return {
        "application": {"S": tracking.application_name},
        "notification_id": {"N": str(tracking.notification_id)},
    }


def item_size(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Bytes DynamoDB counts for an item: names and values, numbers by their digits.

    A number takes about one byte per two significant digits, and one or two more; this counts
    the most it can be (DynamoDB Developer Guide, "Item sizes and formats").
    """
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _at_most(items: Sequence[Item]) -> int:
    """As many bytes as items of strings, numbers and bytes can have, and more.

    A character takes 4 at most, and the names of attributes here less than 32.
    """
    values = [len(content) for item in items for v in item.values() for content in v.values()]
    return 32 * len(values) + 4 * sum(values)


def _value_size(value: Mapping[str, Any]) -> int:
    kind, content = next(iter(value.items()))
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(content)
    if kind == "N":
        return len(content.lstrip("-")) // 2 + 2
    return 1  # NULL, BOOL
