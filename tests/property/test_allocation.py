"""`allocate` against brute force: on cases so small that every allocation there is can be tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.allocation import Plan, allocate, next_lines, streams_of
from ledger.domain.balance import Balance
from ledger.domain.order import Line
from ledger.domain.position import Position
from ledger.domain.streams import stock_stream
from ledger.domain.values import OrderPolicy
from tests.support.histories import small_commits

SKUS = ("A", "B")
CANDIDATES = ("east", "west")
LOCATIONS = (*CANDIDATES, "shop")

balances = st.builds(
    lambda free, reserved, damaged, waiting: Balance(
        on_hand=free + reserved + damaged,
        reserved=reserved,
        damaged=damaged,
        backordered=waiting,
        queue_from=1 if waiting else None,
    ),
    st.integers(0, 4),
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from((0, 0, 0, 1, 3)),
)
stocks = st.fixed_dictionaries(
    {stock_stream(sku, at): balances for sku in SKUS for at in LOCATIONS}
)
asked = st.lists(
    st.tuples(st.sampled_from(SKUS), st.integers(1, 3), st.none() | st.sampled_from(LOCATIONS)),
    min_size=1,
    max_size=4,
)


def lines_of(wanted: list[tuple[str, int, str | None]]) -> list[Line]:
    return [Line(n, sku, quantity, at) for n, (sku, quantity, at) in enumerate(wanted, 1)]


def run(policy: OrderPolicy, lines: list[Line], stock: dict[str, Balance]) -> Plan:
    """Allocate on the positions that `streams_of` says are needed, and no others."""
    positions = {s: Position.of(s, 7, stock[s]) for s in streams_of(lines, CANDIDATES)}
    return allocate("o-1", policy, lines, positions, CANDIDATES)


def splits(line: Line) -> Iterator[dict[str, int]]:
    """Every way to serve some or all of a line from the locations it may use."""
    places = CANDIDATES if line.location is None else (line.location,)
    for parts in product(range(line.quantity + 1), repeat=len(places)):
        if sum(parts) <= line.quantity:
            yield {stock_stream(line.sku, at): n for at, n in zip(places, parts, strict=True) if n}


def most_units(lines: list[Line], stock: dict[str, Balance]) -> int:
    """The most units any allocation can serve: all of them are tried, SKU by SKU."""
    best = 0
    for sku in SKUS:
        found = 0
        for choice in product(*(splits(line) for line in lines if line.sku == sku)):
            taken = Counter[str]()
            for split in choice:
                taken.update(split)
            if all(units <= available(stock[stream]) for stream, units in taken.items()):
                found = max(found, taken.total())
        best += found
    return best


def available(balance: Balance) -> int:
    return max(0, balance.on_hand - balance.reserved - balance.damaged - balance.backordered)


def taken_of(plan: Plan, lines: list[Line]) -> Counter[str]:
    sku = {line.line: line.sku for line in lines}
    taken = Counter[str]()
    for a in plan.allocations:
        taken[stock_stream(sku[a.line], a.location)] += a.reserved
    return taken


@given(asked, stocks)
def test_all_or_nothing_finds_an_allocation_exactly_when_there_is_one(
    wanted: list[tuple[str, int, str | None]], stock: dict[str, Balance]
) -> None:
    lines = lines_of(wanted)
    plan = run(OrderPolicy.ALL_OR_NOTHING, lines, stock)
    total = sum(line.quantity for line in lines)
    if most_units(lines, stock) == total:
        assert (plan.shortfalls, plan.unfilled) == ((), ())
        assert taken_of(plan, lines).total() == total
    else:
        assert plan.shortfalls
        assert not plan.allocations
        assert not plan.movements


@given(asked, stocks)
def test_partial_serves_as_many_units_as_any_allocation_could(
    wanted: list[tuple[str, int, str | None]], stock: dict[str, Balance]
) -> None:
    lines = lines_of(wanted)
    plan = run(OrderPolicy.PARTIAL, lines, stock)
    served = taken_of(plan, lines).total()
    assert served == most_units(lines, stock)
    assert served + sum(u.quantity for u in plan.unfilled) == sum(n for _, n, _ in wanted)


@given(asked, stocks, st.sampled_from(OrderPolicy))
def test_no_line_gets_more_than_it_asked_nor_from_where_it_may_not(
    wanted: list[tuple[str, int, str | None]], stock: dict[str, Balance], policy: OrderPolicy
) -> None:
    lines = lines_of(wanted)
    plan = run(policy, lines, stock)
    got = Counter[int]()
    for a in plan.allocations:
        line = lines[a.line - 1]
        assert a.location in (CANDIDATES if line.location is None else (line.location,))
        got[a.line] += a.reserved + a.backordered
    for unfilled in plan.unfilled:
        got[unfilled.line] += unfilled.quantity
    if not plan.shortfalls or policy is not OrderPolicy.ALL_OR_NOTHING:
        assert got == Counter({line.line: line.quantity for line in lines})


@given(asked, stocks, st.sampled_from(OrderPolicy))
def test_each_position_moves_once_by_what_the_lines_got_there_and_never_beyond_what_is_available(
    wanted: list[tuple[str, int, str | None]], stock: dict[str, Balance], policy: OrderPolicy
) -> None:
    lines = lines_of(wanted)
    plan = run(policy, lines, stock)
    waits = Counter[str]()
    for a in plan.allocations:
        stream = stock_stream(lines[a.line - 1].sku, a.location)
        waits[stream] += a.backordered
        assert a.entry == (8 if a.backordered else None), "the version its event will have"
    taken = taken_of(plan, lines)
    assert set(plan.movements) == {s for s in {*taken, *waits} if taken[s] or waits[s]}
    for stream, event in plan.movements.items():
        before, after = stock[stream], event.balance
        assert taken[stream] <= available(before)
        assert after.reserved == before.reserved + taken[stream]
        assert after.backordered == before.backordered + waits[stream]
        assert (after.on_hand, after.damaged) == (before.on_hand, before.damaged)


@given(asked, stocks)
def test_a_backorder_waits_at_the_first_location_its_line_may_use(
    wanted: list[tuple[str, int, str | None]], stock: dict[str, Balance]
) -> None:
    lines = lines_of(wanted)
    plan = run(OrderPolicy.BACKORDER, lines, stock)
    partly = run(OrderPolicy.PARTIAL, lines, stock)
    assert not plan.shortfalls
    waiting = {a.line: (a.location, a.backordered) for a in plan.allocations if a.backordered}
    assert waiting == {
        u.line: (lines[u.line - 1].location or CANDIDATES[0], u.quantity) for u in partly.unfilled
    }


@given(asked, stocks, st.sampled_from((OrderPolicy.ALL_OR_NOTHING, OrderPolicy.PARTIAL)))
def test_shortfalls_tell_of_every_unit_that_is_missing_once(
    wanted: list[tuple[str, int, str | None]], stock: dict[str, Balance], policy: OrderPolicy
) -> None:
    lines = lines_of(wanted)
    plan = run(policy, lines, stock)
    keys = [(s.sku, s.location) for s in plan.shortfalls]
    assert len(set(keys)) == len(keys), "a SKU on several lines is one sum"
    total = sum(n for _, n, _ in wanted)
    missing = sum(s.requested - s.available for s in plan.shortfalls)
    assert missing == total - most_units(lines, stock)
    for short in plan.shortfalls:
        same = [ln for ln in lines if (ln.sku, ln.location) == (short.sku, short.location)]
        assert short.lines == tuple(line.line for line in same)
        assert short.requested == sum(line.quantity for line in same)
        assert 0 <= short.available < short.requested


@given(asked, stocks, st.sampled_from((OrderPolicy.PARTIAL, OrderPolicy.BACKORDER)))
def test_cut_into_chunks_an_order_gets_what_one_commit_would_give(
    wanted: list[tuple[str, int, str | None]], stock: dict[str, Balance], policy: OrderPolicy
) -> None:
    lines = lines_of(wanted)
    whole = run(policy, lines, stock)
    pending, balances_now, got = list(lines), dict(stock), Counter[tuple[int, str, str]]()
    with small_commits(positions=2, lines=1):
        while chunk := next_lines(pending, CANDIDATES):
            plan = run(policy, chunk, balances_now)
            got.update(fates(plan))
            balances_now |= {s: event.balance for s, event in plan.movements.items()}
            pending = [line for line in pending if line not in chunk]
    assert got == fates(whole)


def fates(plan: Plan) -> Counter[tuple[int, str, str]]:
    """Units by line, fate and location."""
    found = Counter[tuple[int, str, str]]()
    for a in plan.allocations:
        found[a.line, "reserved", a.location] += a.reserved
        found[a.line, "backordered", a.location] += a.backordered
    for unfilled in plan.unfilled:
        found[unfilled.line, "unfilled", ""] += unfilled.quantity
    return +found


@given(asked, st.integers(2, 5), st.integers(1, 3))
def test_a_chunk_is_never_larger_than_a_commit_holds_and_the_chunks_are_the_whole_order(
    wanted: list[tuple[str, int, str | None]], positions: int, size: int
) -> None:
    lines = lines_of(wanted)
    pending, chunks = list(lines), []
    with small_commits(positions, size):
        while chunk := next_lines(pending, CANDIDATES):
            assert len(chunk) <= size
            assert len(streams_of(chunk, CANDIDATES)) <= positions
            chunks += chunk
            pending = [line for line in pending if line not in chunk]
    assert sorted(line.line for line in chunks) == [line.line for line in lines]
    assert [line.sku for line in chunks] == sorted(line.sku for line in lines)
