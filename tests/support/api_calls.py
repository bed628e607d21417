"""What a client asks of DynamoDB, what it is billed for, and answers put in the service's mouth."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders

from ledger.service.attempts import Retry
from ledger.store.dynamodb import DynamoDBLedgerRecorder

WRITE = "TransactWriteItems"


class ApiCalls:
    """Watches one recorder's client, and can answer in place of the service.

    `calls` are the operations asked for, whether they were sent or not; `sent` counts every
    request that went out, the SDK's own repetitions included; `answers` are those that came back.
    """

    def __init__(self, recorder: DynamoDBLedgerRecorder) -> None:
        self.calls: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.sent = 0
        self.answers: list[dict[str, Any]] = []
        self.refusals: list[Refused] = []
        """What the next writes are answered, without reaching the service; oldest first."""
        self.before_write: list[Callable[[], object]] = []
        """What happens just before each of the next writes is sent."""
        events: Any = recorder.tables.client.meta.events
        events.register("provide-client-params.dynamodb.*", self._asked)
        events.register("before-send.dynamodb.*", self._sending)
        events.register("after-call.dynamodb.*", self._answered)

    def take(self) -> list[str]:
        """The operations asked for since the last call."""
        calls, self.calls, self.requests, self.answers, self.sent = self.calls, [], [], [], 0
        return calls

    def units(self) -> float:
        """The capacity units billed since `take`, over all tables."""
        bills = [answer.get("ConsumedCapacity", []) for answer in self.answers]
        each = [bill for bill in bills for bill in (bill if isinstance(bill, list) else [bill])]
        return sum(float(bill["CapacityUnits"]) for bill in each)

    def _asked(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append(model.name)
        self.requests.append(dict(params))
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _sending(self, request: AWSRequest, event_name: str, **_: Any) -> AWSResponse | None:
        self.sent += 1
        if event_name.rpartition(".")[2] != WRITE:
            return None
        if self.before_write:
            self.before_write.pop(0)()
        return self.refusals.pop(0).response(str(request.url)) if self.refusals else None

    def _answered(self, parsed: dict[str, Any], **_: Any) -> None:
        self.answers.append(parsed)


class Refused:
    """An error of the service; `reasons` are those of a cancelled transaction, by position."""

    def __init__(self, code: str, reasons: Sequence[str] = (), status: int = 400) -> None:
        self.status = status
        self.body: dict[str, Any] = {
            "__type": f"com.amazonaws.dynamodb.v20120810#{code}",
            "message": "injected by a test",
        }
        if reasons:
            self.body["CancellationReasons"] = [{"Code": reason} for reason in reasons]

    def response(self, url: str) -> AWSResponse:
        """The error as it comes over the wire."""
        headers = HTTPHeaders()
        headers["content-type"] = "application/x-amz-json-1.0"
        return AWSResponse(url, self.status, headers, _Raw(json.dumps(self.body).encode()))


class _Raw(io.BytesIO):
    """The part of urllib3's response that botocore reads."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(4096):
            yield chunk


@dataclass(frozen=True)
class Watched(Retry):
    """Says at which levels it was asked for a pause."""

    asked: list[int] = field(default_factory=list)

    def pause(self, level: int) -> float:
        self.asked.append(level)
        return super().pause(level)
