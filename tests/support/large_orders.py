"""Orders of a few lines on a site whose commits are cut small: each takes several commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from ledger.domain.errors import Refusal
from ledger.domain.values import OrderPolicy
from ledger.service import (
    CancelOrder,
    LineWanted,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ShipOrder,
)
from tests.support.faults import Crash
from tests.support.histories import small_commits
from tests.support.lost_answers import Loss
from tests.support.model import Model
from tests.support.model_books import BalanceTold
from tests.support.processes import START, Process, Site, new_site

SKUS = ("A", "B", "C")
CANDIDATES = ("east", "west")
ORDER = "large"

Stocked = dict[tuple[str, str], int]


@dataclass(frozen=True)
class Story:
    """Goods come in, a large order is placed, and something is done to it."""

    stock: Stocked
    order: PlaceOrder
    then: ShipOrder | CancelOrder | None
    """None: its time to live ends."""


spots = st.tuples(st.sampled_from(SKUS), st.sampled_from(CANDIDATES))
stocks = st.dictionaries(spots, st.integers(1, 6), min_size=3)
line = st.builds(
    OrderRequestLine,
    st.sampled_from(SKUS),
    st.integers(1, 3),
    st.none() | st.sampled_from(CANDIDATES),
)
orders = st.builds(
    PlaceOrder,
    st.lists(line, min_size=4, max_size=8).map(tuple),
    st.just(ORDER),
    policy=st.sampled_from(OrderPolicy),
    reservation_ttl_seconds=st.just(60),
)
numbers = st.integers(1, 4)
deeds = st.one_of(
    st.none(),
    st.just(ShipOrder(ORDER, shipment_id="s-1")),
    st.lists(st.builds(LineWanted, numbers, st.just(1)), min_size=1, max_size=4)
    .map(lambda wanted: ShipOrder(ORDER, tuple(wanted), shipment_id="s-1")),
    st.just(CancelOrder(ORDER)),
    st.lists(numbers, min_size=2, max_size=5).map(lambda ns: CancelOrder(ORDER, tuple(ns))),
)  # fmt: skip
stories = st.builds(Story, stocks, orders, deeds)


def receipt(stock: Stocked) -> ReceiveStock:
    """The goods, in one receipt."""
    return ReceiveStock(tuple(ReceiptLine(sku, at, n) for (sku, at), n in stock.items()))


@contextmanager
def small_site(stock: Stocked) -> Iterator[Site]:
    """A site whose commits hold 2 positions and whose events hold 2 lines."""
    with new_site(CANDIDATES) as site, small_commits(positions=2, lines=2):
        site.start().send(receipt(stock))
        yield site


def model_of(stock: Stocked, site: Site) -> Model:
    """The model with the same goods."""
    model = Model(CANDIDATES)
    model.ask(receipt(stock), site.now, key="goods")
    return model


def held(balances: dict[str, BalanceTold]) -> dict[str, BalanceTold]:
    """Balances that are not zero: compensation leaves positions that a single commit never met."""
    return {stream: balance for stream, balance in balances.items() if any(balance)}


def essence(told: dict[str, Any] | None) -> dict[str, Any] | None:
    """What must be the same however an order was cut: not which shortfall was noticed first.

    Of an order that gets nothing, units found missing early are `unfilled`, the rest `rejected`.
    """
    if told is None:
        return None
    lines = {
        number: {**fates, "unfilled": 0, "rejected": fates["unfilled"] + fates["rejected"]}
        if told["status"] == "rejected"
        else fates
        for number, fates in told["lines"].items()
    }
    dropped = {"expires_at": None} if told["status"] == "rejected" else {}
    return {**told, **dropped, "lines": lines, "shortfalls": bool(told["shortfalls"])}


def history(site: Site) -> list[tuple[str, int, str, dict[str, Any]]]:
    """What was recorded where, without ids, times and the order of the log."""
    site.auditor.catch_up()
    return sorted((r.stream, r.version, r.type, r.data) for r in site.auditor.heard)


def finish(process: Process, story: Story) -> None:
    """Do the rest of the story, from wherever it was left; keys make every step happen once."""
    process.send(story.order, "place")
    process.ledger.advance(ORDER)
    if story.then is None:
        process.ledger.expire(ORDER, START + timedelta(seconds=60))
        return
    with suppress(Refusal):
        process.send(story.then, "then")
    process.ledger.advance(ORDER)


def step(process: Process, side: Loss = "after") -> None:
    """One commit towards the end, then the process stops without another thought."""
    process.faults.crash = (0, side)
    with suppress(Crash):
        process.ledger.advance(ORDER)
    process.faults.crash = None
