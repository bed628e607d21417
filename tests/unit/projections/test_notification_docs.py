"""What docs/notifications.md promises receivers, to the byte."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.domain import events as e
from ledger.domain.balance import Balance
from ledger.domain.position import Position
from ledger.domain.values import OrderPolicy
from ledger.settings import Settings
from projections.notifications.bootstrap import channels_of
from projections.notifications.channels.signing import signed_headers, signing_key
from projections.notifications.facts import Course, Shelf, order_facts, position_facts
from projections.notifications.notification import Kind, Notification
from tests.support.notifications import recorded

TEXT = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
LOW, SHIPPED, REJECTED, WEBHOOKS = BLOCKS

LINES = (
    e.OrderLine(line=1, sku="85123A", quantity=10),
    e.OrderLine(line=2, sku="71053", quantity=2),
)


def low_stock() -> Notification:
    before = Position("85123A", "main", 2, Balance(on_hand=10, low_stock_threshold=5))
    event = before.allocate("536365", reserved=6)
    _, (fact,) = position_facts(Shelf(before.balance), recorded(before.stream, 3, event))
    return fact


def of_order(*events: e.Event) -> Notification:
    course = Course.of("order:536365")
    for version, event in enumerate(events, 1):
        course, facts = order_facts(course, recorded("order:536365", version, event))
    return facts[-1]


def placed() -> e.OrderPlaced:
    parts = tuple(
        e.Allocation(line=line.line, location="main", reserved=line.quantity) for line in LINES
    )
    return e.OrderPlaced(
        policy=OrderPolicy.BACKORDER,
        customer="17850",
        line_count=2,
        lines=LINES,
        allocations=parts,
    )


def shipped() -> Notification:
    part = e.Allocation(line=1, location="main", reserved=10)
    return of_order(placed(), e.OrderShipped(shipment_id="S-1", shipped=(part,), reference="DHL 1"))


def rejected() -> Notification:
    short = e.Shortfall(sku="85123A", requested=10, available=4, lines=(1,))
    policy = OrderPolicy.ALL_OR_NOTHING
    return of_order(e.OrderRejected(shortfalls=(short,), policy=policy, line_count=2, lines=LINES))


def cancelled() -> Notification:
    part = e.Allocation(line=1, location="main", reserved=10)
    return of_order(placed(), e.OrderCancelled(released=(part,), reason="changed my mind"))


@pytest.mark.parametrize(("make", "shown"), [(low_stock, LOW), (shipped, SHIPPED)])
def test_a_message_is_the_documented_one(make: Callable[[], Notification], shown: str) -> None:
    compact = json.dumps(json.loads(shown), separators=(",", ":"))
    assert make().to_json().decode() == compact


def test_every_order_message_has_the_same_members_and_some_have_more() -> None:
    common = list(json.loads(SHIPPED)["data"])[:4]
    assert common == ["order_id", "status", "customer", "totals"]
    assert list(of_order(placed()).data) == common
    assert list(shipped().data) == [*common, "shipment", "complete"]
    assert list(cancelled().data) == [*common, "reason", "complete"]
    found = rejected().data
    assert list(found) == [*common, "shortfalls", "shortfall_count"]
    assert {name: found[name] for name in found if name not in common} == json.loads(REJECTED)


def test_every_kind_is_documented() -> None:
    documented = re.findall(r"^\| `([a-z_]+)` \|", TEXT, re.MULTILINE)
    assert documented == ["kind", *map(str, Kind)]


def test_the_documented_webhooks_can_be_configured() -> None:
    channels = channels_of(Settings(notify_webhooks=WEBHOOKS))
    assert [channel.wants(Kind.ORDER_SHIPPED) for channel in channels] == [False, True]
    assert [channel.wants(Kind.LOW_STOCK) for channel in channels] == [True, True]


def receiver() -> Callable[..., bool]:
    """The documented verification, as a receiver would have it."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    verified: Callable[..., bool] = names["verified"]
    return verified


def test_the_documented_verification_accepts_what_is_sent_and_nothing_else() -> None:
    old, new = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    verified, body, now = receiver(), b'{"kind":"low_stock"}', int(time.time())
    both = signed_headers([signing_key(new), signing_key(old)], "id-1", now, body)

    assert verified(both, body, old)
    assert verified(both, body, new)
    assert not verified(both, body, "whsec_" + base64.b64encode(bytes(32)).decode())
    assert not verified(both, body + b" ", new)
    assert not verified({**both, "webhook-id": "id-2"}, body, new)
    assert not verified({**both, "webhook-timestamp": str(now + 1)}, body, new)
    late = signed_headers([signing_key(new)], "id-1", now - 301, body)
    assert not verified(late, body, new)
    assert verified(late, body, new, tolerance=400)


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(
        [key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "secret", ["short", "whsec_dG9vIHNob3J0", "whsec_not base64!", "x" * 513, ""]
)
def test_a_secret_that_is_no_key_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as refused:
        signing_key(secret)
    assert not secret or secret not in str(refused.value).replace("secret", "")
    assert refused.value.__cause__ is None


def test_a_secret_may_be_any_long_text() -> None:
    assert signing_key("k" * 24) == b"k" * 24
