"""What delivery is tested with: records of a stream, messages of a queue, and fakes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

from eventsourcing.persistence import StoredEvent
from pydantic_core import from_json, to_json

from ledger.codec import Recorded, Stamp, decode, encode
from ledger.domain import events as e
from ledger.domain.balance import Balance
from ledger.domain.streams import order_stream, stock_stream
from projections.delivery.dead_letters import DeadLetter
from projections.delivery.details import detail_of

AT = "2026-11-22T09:39:56.123456Z"
COMMAND = "01a202b7-55b7-7024-b8d6-c58ccd19bb7e"


def received(
    sku: str = "MUG", version: int = 1, *, at: str = AT, note: str | None = None
) -> StoredEvent:
    """Goods that came in, as they are stored; `note` is a field of the future, of any length."""
    more = {} if note is None else {"note": note}
    event = e.StockReceived.model_validate(
        {"quantity": 1, "balance": Balance(on_hand=version), **more}
    )
    return sealed(stock_stream(sku, "main"), version, event, at=at)


def placed(order_id: str = "A-1", version: int = 1) -> StoredEvent:
    """An order, as it is stored."""
    line = e.OrderLine(line=1, sku="MUG", quantity=2)
    rest = (e.LineQuantity(line=1, quantity=2),)
    event = e.OrderPlaced.model_validate(
        {"policy": "partial", "line_count": 1, "lines": (line,), "unfilled": rest}
    )
    return sealed(order_stream(order_id), version, event)


def sealed(stream: str, version: int, event: e.Event, *, at: str = AT) -> StoredEvent:
    """Any event, sealed into a place of history."""
    stamp = Stamp(at, COMMAND, "anna", "local", 1)
    event_id = f"01a202b7-55b7-7024-b8d6-{version:012d}"
    prev = "" if version == 1 else "ab" * 32
    return encode(stream, version, event, event_id=event_id, stamp=stamp, prev=prev)[1]


def stream_record(stored: StoredEvent, change: str = "INSERT", **item: Any) -> dict[str, Any]:
    """The record of an event's item, as a function gets it; `item` adds attributes."""
    keys = {
        "stream": {"S": str(stored.originator_id)},
        "version": {"N": str(stored.originator_version)},
    }
    image = {
        **keys,
        "type": {"S": stored.topic},
        "state": {"B": base64.b64encode(stored.state).decode()},
        **item,
    }
    place = crc32(str(stored.originator_id).encode())
    number = f"{stored.originator_version:03d}{place:021d}"
    change_ = {
        "ApproximateCreationDateTime": 1795340396,
        "Keys": keys,
        "SequenceNumber": number,
        "SizeBytes": len(stored.state),
        "StreamViewType": "NEW_IMAGE",
    }
    if change != "REMOVE":
        change_["NewImage"] = image
    return {
        "eventID": f"id-{number}",
        "eventName": change,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": change_,
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:111122223333:table/x/stream/2026",
    }


def bus_event(recorded: Recorded, **options: Any) -> dict[str, Any]:
    """The event of a bus that tells of an event."""
    return {
        "version": "0",
        "id": "4d1a8f4e-6e0c-4a0e-a2a4-3b1d5c3f0d11",
        "detail-type": recorded.type,
        "source": "ledger",
        "account": "111122223333",
        "time": "2026-11-22T09:39:56Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail_of(recorded, "ledger", **options),
    }


def message(stored: StoredEvent, **options: Any) -> str:
    """The body of a queue's message that tells of an event."""
    return to_json(bus_event(decode(stored), **options)).decode()


def queue_event(*bodies: str, receives: int = 1) -> dict[str, Any]:
    """A batch as a function gets it; messages are named `m1`, `m2`, and so on."""
    records = [
        {
            "messageId": f"m{number}",
            "receiptHandle": f"r{number}",
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": str(receives),
                "SentTimestamp": "1795340396000",
                "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
                "ApproximateFirstReceiveTimestamp": "1795340396001",
            },
            "messageAttributes": {},
            "md5OfBody": "7b270e59b47ff90a553787216d55d91d",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:111122223333:shop-orders",
            "awsRegion": "eu-west-1",
        }
        for number, body in enumerate(bodies, 1)
    ]
    return {"Records": records}


def failures(answer: Mapping[str, Any]) -> list[str]:
    """The identifiers that a partial batch response names."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


class FakeEvents:
    """A client of EventBridge. `refuse` says by event id and try whether an entry fails."""

    def __init__(self, refuse: Callable[[str, int], bool] = lambda _id, _try: False) -> None:
        self.calls: list[Sequence[Mapping[str, Any]]] = []
        self.details: list[dict[str, Any]] = []
        """Of entries that were taken."""
        self.tries: dict[str, int] = {}
        self._refuse = refuse

    def put_events(self, *, Entries: Sequence[Any]) -> Mapping[str, Any]:  # noqa: N803
        self.calls.append(Entries)
        results = [self._put(from_json(entry["Detail"])) for entry in Entries]
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def _put(self, detail: dict[str, Any]) -> dict[str, str]:
        attempt = self.tries[detail["id"]] = self.tries.get(detail["id"], 0) + 1
        if self._refuse(detail["id"], attempt):
            return {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        self.details.append(detail)
        return {"EventId": f"e-{len(self.details)}"}


class Letters:
    """Dead letters in a list."""

    def __init__(self, error: Exception | None = None) -> None:
        self.all: list[DeadLetter] = []
        self.error = error

    def put(self, letter: DeadLetter) -> None:
        if self.error is not None:
            raise self.error
        self.all.append(letter)


class Seconds:
    """A monotonic clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
