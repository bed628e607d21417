"""Events as details of a bus, and the rules that match them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ledger.codec import decode
from ledger.domain import events as e
from ledger.domain.events import CATALOGUE
from projections.delivery.consumers import CONSUMERS
from projections.delivery.details import (
    EventNotFound,
    UnreadableDetail,
    detail_of,
    recorded_of,
)
from projections.delivery.publisher import SOURCE
from projections.delivery.rules import matches, rules
from projections.order_processor import NEVER_PROMOTABLE, TASK_EVENTS
from tests.support.delivery import AT, COMMAND, bus_event, placed, received, sealed


def test_a_detail_is_a_cloud_event() -> None:
    stored = received("MUG", 2, note="é")
    recorded = decode(stored)
    assert detail_of(recorded, "ledger", replay="r-1") == {
        "specversion": "1.0",
        "id": recorded.id,
        "source": "ledger",
        "type": "StockReceived",
        "subject": "stock:MUG@main",
        "time": AT,
        "datacontenttype": "application/json",
        "streamversion": 2,
        "schema": 2,
        "command": COMMAND,
        "actor": "anna",
        "region": "local",
        "commitsize": 1,
        "prev": "ab" * 32,
        "hash": recorded.hash,
        "replay": "r-1",
        "data": {**recorded.data, "sku": "MUG", "location": "main"},
    }


def test_attribute_names_are_what_the_specification_allows() -> None:
    detail = detail_of(decode(received("A", 2)), "ledger", replay="r", with_data=False)
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in detail)
    assert "" not in detail_of(decode(received("A", 1)), "ledger").values()


def test_orders_are_told_by_their_id() -> None:
    detail = detail_of(decode(placed("A-1")), "ledger")
    assert detail["data"]["order_id"] == "A-1"
    assert recorded_of(detail) == decode(placed("A-1"))


def test_no_event_has_a_field_of_an_identity_with_another_meaning() -> None:
    for kind in CATALOGUE.values():
        taken = {"sku", "location"} if issubclass(kind, e.PositionEvent) else {"order_id"}
        assert not taken & set(kind.model_fields), kind.name


def test_an_event_that_has_such_a_field_keeps_it() -> None:
    event = CATALOGUE["StockAdjusted"].model_validate(
        {"delta": 1, "reason": "x", "balance": {}, "sku": "theirs"}
    )
    recorded = decode(sealed("stock:MUG@main", 1, event))
    detail = detail_of(recorded, "ledger")
    assert detail["data"] == recorded.data
    assert recorded_of(detail).data == recorded.data


def test_an_event_without_its_data_is_read() -> None:
    recorded = decode(received("MUG", 4))
    detail = detail_of(recorded, "ledger", with_data=False)
    assert "data" not in detail
    asked: list[tuple[str, int]] = []

    def fetch(stream: str, version: int) -> Any:
        asked.append((stream, version))
        return recorded

    assert recorded_of(detail, fetch) is recorded
    assert asked == [("stock:MUG@main", 4)]
    with pytest.raises(EventNotFound):
        recorded_of(detail, lambda _stream, _version: None)


@pytest.mark.parametrize(
    "change",
    [
        {"subject": None},
        {"subject": "stock:MUG"},
        {"streamversion": "1"},
        {"data": None},
        {"data": {}},
        {"hash": ...},
    ],
    ids=repr,
)
def test_what_is_no_detail_is_refused(change: dict[str, Any]) -> None:
    detail = {**detail_of(decode(received()), "ledger"), **change}
    with pytest.raises(UnreadableDetail):
        recorded_of({name: value for name, value in detail.items() if value is not ...})


def test_every_consumer_has_a_rule() -> None:
    assert list(rules()) == list(CONSUMERS)
    assert all(rule["source"] == [SOURCE] for rule in rules().values())


@pytest.mark.parametrize(
    ("stored", "to"),
    [
        (received(), {"stock_levels", "order_processor", "notifications", "sequencer"}),
        (
            placed(),
            {"orders", "open_reservations", "order_processor", "notifications", "sequencer"},
        ),
    ],
)
def test_rules_send_events_to_whom_they_concern(stored: Any, to: set[str]) -> None:
    recorded = decode(stored)
    assert to == {name for name, rule in rules().items() if matches(rule, bus_event(recorded))}
    views = {"stock_levels", "orders", "open_reservations"}
    replayed = bus_event(recorded, replay="r")
    assert to & views == {name for name, rule in rules().items() if matches(rule, replayed)}
    others = {**bus_event(recorded), "source": "aws.ec2"}
    assert not any(matches(rule, others) for rule in rules().values())


def test_the_order_processor_gets_what_it_reacts_to() -> None:
    reacts = {
        name
        for name, kind in CATALOGUE.items()
        if (issubclass(kind, e.PositionEvent) and name not in NEVER_PROMOTABLE)
        or name in TASK_EVENTS
        or name == "OrderPlaced"
    }
    assert set(rules()["order_processor"]["detail-type"]) == reacts


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"]}, {"a": "xy"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": [1]}, {"a": 1}, True),
        ({"a": [1]}, {"a": True}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {}, False),
        ({"a": [{"prefix": "x"}]}, {"a": "xy"}, True),
        ({"a": [{"prefix": "x"}]}, {"a": 1}, False),
        ({"a": {"b": [{"exists": False}]}}, {"a": {}}, True),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"a": {"b": [{"exists": True}]}}, {"a": {"b": None}}, True),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
    ],
    ids=repr,
)
def test_patterns_match_as_on_the_service(
    pattern: dict[str, Any], event: dict[str, Any], expected: bool
) -> None:
    assert matches(pattern, event) is expected


@pytest.mark.parametrize("operator", [{"suffix": "x"}, {"prefix": "x", "exists": True}], ids=repr)
def test_an_operator_nobody_uses_is_refused(operator: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="local bus"):
        matches({"a": [operator]}, {"a": "x"})
