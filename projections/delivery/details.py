"""Events as they travel on the bus: CloudEvents 1.0 in the `detail` of an EventBridge event.

Attributes of the specification: `specversion`, `id`, `source`, `type`, `subject` (the stream),
`time` (when it was recorded), `datacontenttype`, `data`. Extensions: `streamversion`, `schema`,
`command`, `actor`, `region`, `commitsize`, `prev` (absent for a stream's first event), `hash`,
and where they apply:

===============  ================================================================================
`replay`         the run that publishes history again; who acts on news leaves it alone
`dataomitted`    true where `data` was too large to travel; the receiver reads the event store
`dataverbatim`   true where `data` has none of the fields below added, since the event has a
                 field of such a name itself
===============  ================================================================================

`data` holds the event's own fields in the schema they were recorded with, and besides what the
event is about, so that rules can match it: `sku` and `location` of a position, `order_id` of an
order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ledger.codec import Recorded, check_types
from ledger.domain.streams import is_order, is_stock, parse_order, parse_stock
from ledger.service.clock import parse_instant

SPECVERSION: Final = "1.0"
JSON: Final = "application/json"

Fetch = Callable[[str, int], Recorded | None]
"""Reads one event of the event store by stream and version."""


class UnreadableDetail(Exception):
    """What came is not an event as this module writes it."""


class EventNotFound(Exception):
    """An event that travelled without its data is not in the event store (yet)."""


def detail_of(
    recorded: Recorded, source: str, *, replay: str | None = None, with_data: bool = True
) -> dict[str, Any]:
    """The detail of an event, JSON values only; without `data` if it is to be left out."""
    detail: dict[str, Any] = {
        "specversion": SPECVERSION,
        "id": recorded.id,
        "source": source,
        "type": recorded.type,
        "subject": recorded.stream,
        "time": recorded.at,
        "datacontenttype": JSON,
        "streamversion": recorded.version,
        "schema": recorded.schema,
        "command": recorded.command,
        "actor": recorded.actor,
        "region": recorded.region,
        "commitsize": recorded.size,
        "hash": recorded.hash,
    }
    if recorded.prev:
        detail["prev"] = recorded.prev
    if replay is not None:
        detail["replay"] = replay
    if not with_data:
        return {**detail, "dataomitted": True}
    identity = identity_of(recorded.stream)
    if identity.keys() & recorded.data.keys():
        return {**detail, "dataverbatim": True, "data": recorded.data}
    return {**detail, "data": {**recorded.data, **identity}}


def recorded_of(detail: Mapping[str, Any], fetch: Fetch | None = None) -> Recorded:
    """The event a detail tells of, equal to the recorded one.

    Parameters
    ----------
    fetch
        Reads an event whose data was omitted.

    Raises
    ------
    UnreadableDetail
        It is not a detail of an event.
    EventNotFound
        Its data was omitted, and can't be read either.
    """
    try:
        stream, version = detail["subject"], detail["streamversion"]
        if type(stream) is not str or type(version) is not int:
            raise TypeError(f"subject {stream!r}, streamversion {version!r}")
        if detail.get("dataomitted"):
            return _fetched(stream, version, fetch)
        data = dict(detail["data"])
        if not detail.get("dataverbatim"):
            for name in identity_of(stream):
                del data[name]
        parse_instant(detail["time"])
        recorded = Recorded(
            stream,
            version,
            detail["type"],
            detail["schema"],
            detail["id"],
            detail["time"],
            detail["command"],
            detail["actor"],
            detail["region"],
            detail["commitsize"],
            detail.get("prev", ""),
            detail["hash"],
            data,
        )
        check_types(recorded)
        return recorded
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableDetail(f"not an event of the ledger: {error!r}") from error


def identity_of(stream: str) -> dict[str, str]:
    """What the stream's events are about, by the names rules match.

    Raises
    ------
    ValueError
        It is not a stream id.
    """
    if is_stock(stream):
        sku, location = parse_stock(stream)
        return {"sku": sku, "location": location}
    return {"order_id": parse_order(stream)} if is_order(stream) else {}


def _fetched(stream: str, version: int, fetch: Fetch | None) -> Recorded:
    found = None if fetch is None else fetch(stream, version)
    if found is None:
        raise EventNotFound(f"{stream} version {version} came without data and can't be read")
    return found
