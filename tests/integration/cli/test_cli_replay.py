"""`ledger replay`: past events printed or published again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import boto3
import pytest
from moto import mock_aws

from projections.delivery import clients
from projections.delivery.details import recorded_of
from projections.delivery.publisher import Publisher
from tests.integration.cli.support import error_of, run
from tests.integration.importing_support import RETAIL_SAMPLE, STOCK_SAMPLE
from tests.support.engines import AWS_ENVIRONMENT, Engines


def lines(*arguments: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*arguments).stdout.splitlines()]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account of its own."""
    for name, value in AWS_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def on_dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Opening balances in a store on DynamoDB."""
    with mock_aws():
        monkeypatch.setenv("LEDGER_STORE", "dynamodb:test")
        run("tables", "create")
        run("import", "--format", "stock-csv", STOCK_SAMPLE)
        yield


@pytest.mark.usefixtures("imported")
def test_everything_is_printed_as_events_does() -> None:
    told = run("replay", "--jsonl")

    assert told.stdout == run("events", "--jsonl").stdout
    assert "136 events printed." in told.stderr


@pytest.mark.usefixtures("imported")
def test_a_span_a_stream_and_a_type() -> None:
    every = lines("replay", "--jsonl")
    begin, end = every[20]["at"], every[90]["at"]
    span = ("--from", begin, "--to", end)

    found = lines("replay", "--jsonl", *span)
    assert found == [event for event in every if begin <= event["at"] < end]
    shipped = lines("replay", "--jsonl", *span, "--type", "StockShipped")
    assert shipped == [event for event in found if event["type"] == "StockShipped"]
    stream = found[0]["stream"]
    card = lines("replay", "--jsonl", *span, "--stream", stream)
    numbered = [{**e, "position": e["version"]} for e in found if e["stream"] == stream]
    assert card == numbered
    east = begin[:10] + "T23:59:59-12:00"
    assert lines("replay", "--jsonl", "--from", east) == []


@pytest.mark.usefixtures("aws", "on_dynamodb")
def test_on_dynamodb_each_stream_is_in_order() -> None:
    run("import", "--format", "online-retail", RETAIL_SAMPLE)
    found = lines("replay", "--jsonl", "--segments", 3)

    versions: dict[str, list[int]] = {}
    for event in found:
        assert event["position"] is None
        versions.setdefault(event["stream"], []).append(event["version"])
    assert all(v == list(range(1, len(v) + 1)) for v in versions.values())
    assert max(map(len, versions.values())) > 8
    begin = sorted(event["at"] for event in found)[30]
    late = lines("replay", "--jsonl", "--from", begin)
    assert len(late) == sum(event["at"] >= begin for event in found)
    stream = found[0]["stream"]
    card = lines("replay", "--jsonl", "--stream", stream)
    assert [event["position"] for event in card] == versions[stream]


class Bus:
    """A client of EventBridge that keeps what it is given, but for what it refuses."""

    def __init__(self, refuses: str = "") -> None:
        self.details: list[dict[str, Any]] = []
        self._refuses = refuses

    def describe_event_bus(self, **_: str) -> None:
        """It is there."""

    def put_events(self, *, Entries: list[Any]) -> Mapping[str, Any]:  # noqa: N803
        results = []
        for entry in Entries:
            detail = json.loads(entry["Detail"])
            if detail["type"] == self._refuses:
                results.append({"ErrorCode": "InternalFailure"})
            else:
                results.append({"EventId": detail["id"]})
                self.details.append(detail)
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}


@pytest.mark.usefixtures("imported")
def test_past_events_are_published_with_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus()
    monkeypatch.setattr(clients, "make_events_client", lambda: bus)
    every = lines("replay", "--jsonl")
    begin = every[20]["at"]

    told = run("replay", "--from", begin, "--to-bus", "somewhere")

    wanted = [event["hash"] for event in every if event["at"] >= begin]
    assert [recorded_of(detail).hash for detail in bus.details] == wanted
    (mark,) = {detail["replay"] for detail in bus.details}
    assert UUID(mark).version == 7
    assert told.stdout == ""
    assert f"{len(wanted)} events published to somewhere, marked as replay {mark}." in told.stderr


@pytest.mark.usefixtures("imported")
def test_what_the_bus_will_not_take_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus(refuses="OrderShipped")
    monkeypatch.setattr(clients, "make_events_client", lambda: bus)
    defaults = Publisher.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "budget", 0)

    said = error_of("replay", "--stream", "order:700002", "--to-bus", "somewhere")

    assert "1 events were published, but the bus somewhere would not take order:700002" in said
    assert "Run the same command again" in said


@pytest.mark.usefixtures("aws", "imported")
def test_a_real_bus_delivers_the_mark(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", engines.endpoint("ministack"))
    events, queues = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="replayed")
    url = queues.create_queue(QueueName="replayed")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    events.put_rule(
        Name="replayed",
        EventBusName="replayed",
        EventPattern='{"detail": {"replay": [{"exists": true}]}}',
    )
    target: Any = {"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}
    events.put_targets(Rule="replayed", EventBusName="replayed", Targets=[target])

    run("replay", "--stream", "order:700002", "--to-bus", "replayed")

    found = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
    details = [json.loads(message["Body"])["detail"] for message in found["Messages"]]
    assert sorted(recorded_of(detail).version for detail in details) == [1, 2]
    assert "no such bus in eu-west-1" in error_of("replay", "--to-bus", "nowhere")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "either --jsonl or --to-bus NAME"),
        (["--jsonl", "--to-bus", "b"], "either --jsonl or --to-bus NAME"),
        (["--jsonl", "--stream", "A@main"], "write stock:SKU@LOCATION or order:ORDER_ID"),
        (["--jsonl", "--type", "StockReservd"], "Did you mean StockReserved?"),
        (["--jsonl", "--from", "2026-11-02"], "--from '2026-11-02': write an instant"),
        (["--jsonl", "--to", "2026-11-02T08:00:00"], "offset from UTC, such as"),
        (
            ["--jsonl", "--from", "2026-11-02T08:00:00Z", "--to", "2026-11-02T08:00:00+00:00"],
            "is not after --from",
        ),
        (["--jsonl", "--store", "sqlite:none.db"], "there is no store at none.db"),
    ],
)
def test_a_replay_that_can_not_be(arguments: list[str], said: str) -> None:
    assert said in error_of("replay", *arguments)
