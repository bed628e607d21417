"""Orders larger than one commit: in several commits they get what one would have given.

And whatever happens between two of those commits (a crash, another process doing the same, other
orders), nothing is oversold and everybody finishes in the same place.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.errors import OrderBusy, Refusal
from ledger.domain.order import Order
from ledger.domain.streams import stock_stream
from ledger.domain.values import OrderPolicy
from ledger.service import CancelOrder, Command, OrderRequestLine, PlaceOrder, ShipOrder
from tests.support.auditing import refusal, snapshot
from tests.support.faults import Crash
from tests.support.large_orders import (
    ORDER,
    Stocked,
    Story,
    essence,
    finish,
    held,
    history,
    model_of,
    orders,
    receipt,
    small_site,
    spots,
    step,
    stocks,
    stories,
)
from tests.support.lost_answers import Loss
from tests.support.model import Model
from tests.support.processes import START, Process, Site

more_often = settings(max_examples=2 * settings().max_examples)
DUE = START + timedelta(seconds=60)

crashes: st.SearchStrategy[list[tuple[int, Loss]]] = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from(("before", "after"))), min_size=1, max_size=3
)


def check(site: Site, model: Model) -> None:
    """Compare the order and all positions with the model."""
    order = site.start().ledger.history.order(ORDER)
    assert essence(snapshot(order)) == essence(model.snapshot(ORDER))
    site.auditor.catch_up()
    assert held(site.auditor.balances()) == held(model.balances())


@more_often
@given(stories)
def test_a_large_order_ends_as_with_the_model_that_knows_no_chunks(story: Story) -> None:
    with small_site(story.stock) as site:
        process, model = site.start(), model_of(story.stock, site)
        process.send(story.order)
        process.ledger.advance(ORDER)
        model.ask(story.order, site.now, key="place")
        check(site, model)
        if story.then is None:
            assert process.ledger.expire(ORDER, DUE) == bool(model.expire(ORDER, DUE).written)
        else:
            expected = model.ask(story.then, site.now, key="then").refusal
            assert refused(process, story.then) == expected
            process.ledger.advance(ORDER)
        check(site, model)


def refused(process: Process, command: Command) -> tuple[object, ...]:
    """Why the command is refused, if it is."""
    try:
        process.send(command)
    except Refusal as error:
        return refusal(error)
    return ()


@given(stories, crashes)
def test_a_crash_before_or_after_any_commit_changes_nothing(
    story: Story, crashes: list[tuple[int, Loss]]
) -> None:
    with small_site(story.stock) as calm:
        process = calm.start()
        finish(process, story)
        expected, appends = history(calm), process.faults.appends
    with small_site(story.stock) as site:
        for left, side in crashes:
            with suppress(Crash):
                finish(site.start(crash=(left % appends, side)), story)
        finish(site.start(), story)
        assert history(site) == expected


@dataclass(frozen=True)
class Turn:
    """What happens between two commits of the large order."""

    what: str
    by: int
    spot: tuple[str, str]
    units: int


turns = st.lists(
    st.builds(
        Turn,
        st.sampled_from(
            ("step", "step", "step", "overtaken", "die", "buy", "receive", "promote", "ask", "due")
        ),
        st.integers(0, 1),
        spots,
        st.integers(1, 4),
    ),
    max_size=20,
)
commands = st.sampled_from((None, ShipOrder(ORDER, shipment_id="s-1"), CancelOrder(ORDER)))


@given(stocks, orders, turns, commands, turns)
def test_whoever_steps_and_whatever_comes_between_nothing_is_oversold_and_all_is_finished(
    stock: Stocked, order: PlaceOrder, first: list[Turn], then: Command | None, more: list[Turn]
) -> None:
    with small_site(stock) as site:
        table = Table(site)
        table.processes[0].send(order)
        for turn in first:
            table.play(turn)
        if then is not None:
            with suppress(Refusal):
                table.processes[1].send(then)
        for turn in more:
            table.play(turn)
        done = site.start().ledger.advance(ORDER)
        assert done.task is None
        assert done.totals.pending == 0
        check_promise(done)
        site.auditor.catch_up()
        for process in table.processes:
            assert process.ledger.advance(ORDER) == done


def check_promise(order: Order) -> None:
    totals = order.totals
    if order.policy is OrderPolicy.ALL_OR_NOTHING:
        assert totals.rejected in (0, totals.ordered)
        assert totals.unfilled == totals.backordered == 0
    elif order.policy is OrderPolicy.BACKORDER:
        assert totals.rejected == totals.unfilled == 0


class Table:
    """Two processes that finish the same order, and others that trade meanwhile."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.processes = [site.start(), site.start(cache_size=2)]
        self.client = site.start()

    def play(self, turn: Turn) -> None:
        """Play one turn; after each the whole history is judged."""
        process, other = self.processes[turn.by], self.processes[1 - turn.by]
        sku, location = turn.spot
        match turn.what:
            case "step":
                step(process)
            case "overtaken":
                process.faults.overtake = lambda: step(other)
                step(process)
                process.faults.calm()
            case "die":
                step(process, "before")
            case "buy":
                line = OrderRequestLine(sku, turn.units, location)
                self.client.send(PlaceOrder((line,), policy=OrderPolicy.PARTIAL))
            case "receive":
                self.client.send(receipt({turn.spot: turn.units}))
            case "promote":
                self.client.ledger.promote(stock_stream(sku, location))
            case "due":
                process.ledger.expire(ORDER, START)
            case "ask":
                self.ask()
        self.site.auditor.catch_up()

    def ask(self) -> None:
        """While a task is open, clients are told to wait."""
        order = self.client.ledger.history.order(ORDER)
        assert order is not None
        if order.task is not None:
            for command in (ShipOrder(ORDER), CancelOrder(ORDER), CancelOrder(ORDER, (1,))):
                with pytest.raises(OrderBusy, match=order.task.kind):
                    self.client.send(command)
