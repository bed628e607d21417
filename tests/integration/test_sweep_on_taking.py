"""The sweep of a Region that has taken the lease: bounded, and gone on with wherever it stopped."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest
from eventsourcing.persistence import OperationalError

from ledger.store.tables import create_table_request, full_name
from projections.delivery import taking
from projections.delivery.taking import Done, Part
from tests.support.engines import Engines
from tests.support.event_stores import ENGINES, EventTables, event_tables
from tests.support.sweeping import ELSEWHERE, PAGE, STREAMS, World, newest

on_every_engine = pytest.mark.parametrize("tables", ["moto", *ENGINES], indirect=True)


@pytest.fixture(params=["moto"])
def tables(request: pytest.FixtureRequest, engines: Engines) -> Iterator[EventTables]:
    with event_tables(request.param, engines) as tables:
        tables.client.create_table(**create_table_request(tables.prefix, "lease"))
        yield tables
        tables.client.delete_table(TableName=full_name(tables.prefix, "lease"))


@pytest.fixture
def world(tables: EventTables) -> World:
    return World(tables)


@on_every_engine
def test_stopped_at_every_page_it_does_what_one_pass_does(world: World) -> None:
    world.sweeper(left=float("inf"))()
    assert world.is_done()
    at_once, world.lots = world.lots, []
    assert newest(at_once) == STREAMS
    assert max(map(len, at_once)) <= PAGE
    world.epoch = 2
    steps = world.steps()
    assert world.lots == at_once
    assert len(at_once) >= sum(STREAMS.values()) // PAGE
    assert steps in (len(at_once), len(at_once) + 1)
    world.sweeper()()
    assert world.lots == at_once


def test_a_page_that_was_interrupted_is_done_again_and_no_other(world: World) -> None:
    def stop() -> None:
        if len(world.lots) == 2:
            raise OperationalError("no answer")

    world.before = stop
    sweeper = world.sweeper(left=float("inf"))
    for _ in range(2):
        with pytest.raises(OperationalError):
            sweeper()
    assert len(world.lots) == 2
    world.before = lambda: None
    sweeper()
    assert world.is_done()
    assert newest(world.lots) == STREAMS
    assert len(world.lots) == len({tuple(lot.items()) for lot in world.lots})


def test_of_two_at_the_same_page_one_goes_on(world: World) -> None:
    slow = world.sweeper(left=float("inf"))

    def meanwhile() -> None:
        world.before = lambda: None
        for _ in range(3):
            world.sweeper()()

    world.before = meanwhile
    slow()
    # The slow one did the first page as well, was told so, and left it at that.
    assert len(world.lots) == 4
    assert world.lots[0] == world.lots[3]
    assert world.stored().turn == 4
    world.steps()
    assert newest(world.lots) == STREAMS


def test_one_that_slept_moves_nothing_back_when_the_other_is_done(world: World) -> None:
    def meanwhile() -> None:
        world.before = lambda: None
        world.steps()

    world.before = meanwhile
    world.sweeper(left=float("inf"))()
    assert world.is_done()


def test_a_new_epoch_begins_anew(world: World) -> None:
    world.sweeper()()
    world.sweeper()()
    first = list(world.lots)
    world.epoch = 2
    world.steps()
    assert world.lots[2:4] == first
    assert newest(world.lots[2:]) == STREAMS


def test_who_sweeps_for_an_old_epoch_leaves_that_of_the_new_one_alone(world: World) -> None:
    def meanwhile() -> None:
        world.before = lambda: None
        world.epoch = 2
        world.sweeper()()

    world.sweeper()()
    world.before = meanwhile
    world.sweeper(left=float("inf"))()
    stored = world.stored()
    assert stored.epoch == 2
    assert world.lots[1] == world.lots[0]
    assert stored.parts is not None
    assert stored.parts["all"].after is not None
    world.steps()
    assert newest(world.lots[1:2] + world.lots[3:]) == STREAMS


def test_who_lost_the_lease_stops(world: World) -> None:
    def lose() -> None:
        world.holder = ELSEWHERE

    world.before = lose
    sweeper = world.sweeper(left=float("inf"))
    sweeper()
    sweeper()
    assert len(world.lots) == 1
    assert not world.is_done()


def test_what_fails_is_put_aside_and_tried_again(world: World) -> None:
    bad = {"s5", "s11"}
    tried: list[str] = []

    def do(versions: Mapping[str, int]) -> Done:
        world.do({s: v for s, v in versions.items() if s not in bad})
        tried.extend(bad & versions.keys())
        return Done(failed=bad & versions.keys())

    part = Part("all", do)
    world.sweeper(part, left=float("inf"))()
    assert newest(world.lots) == {s: v for s, v in STREAMS.items() if s not in bad}
    assert sorted(tried) == 2 * ["s11"] + 2 * ["s5"]
    parts = world.stored().parts
    assert parts is not None
    assert parts["all"].scanned
    assert parts["all"].left == {stream: STREAMS[stream] for stream in bad}
    world.sweeper(part)()
    assert len(tried) == 6
    bad.clear()
    assert world.steps(part) <= 2
    assert newest(world.lots) == STREAMS


def test_a_part_that_is_of_no_use_now_waits_and_the_others_go_on(world: World) -> None:
    """A receiver that is down is not asked for everything, nor does it cost others their turn."""
    asked: list[str] = []

    def down(versions: Mapping[str, int]) -> Done:
        first, *others = versions
        asked.append(first)
        return Done(failed=[first], untried=others)

    for part in ("down", "up", "down", "up", "down"):
        before = len(asked), len(world.lots)
        world.sweeper(Part("down", down), Part("up", world.do))()
        after = len(asked), len(world.lots)
        assert (after[0] - before[0], after[1] - before[1]) == (
            (1, 0) if part == "down" else (0, 1)
        )
    world.sweeper(Part("down", down), Part("up", world.do), left=float("inf"))()
    progress = world.stored().parts
    assert progress is not None
    assert progress["up"].is_done
    assert newest(world.lots) == STREAMS
    assert not progress["down"].scanned
    world.lots.clear()
    world.steps(Part("down", world.do), Part("up", world.do))
    assert newest(world.lots) == STREAMS


def test_what_always_fails_holds_nobody_up(world: World) -> None:
    """Though a step for it takes all the time there is."""

    def do(versions: Mapping[str, int]) -> Done:
        bad = [stream for stream in versions if stream in {"s2", "s5"}]
        good = {stream: v for stream, v in versions.items() if stream not in bad}
        if bad:  # it gives up right away
            return Done(bad, good)
        return world.do(good)

    for _ in range(30):
        world.sweeper(Part("all", do))()
    assert newest(world.lots) == {s: v for s, v in STREAMS.items() if s not in {"s2", "s5"}}
    parts = world.stored().parts
    assert parts is not None
    assert parts["all"].left == {"s2": STREAMS["s2"], "s5": STREAMS["s5"]}


def test_it_does_not_go_on_past_more_failures_than_it_can_keep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "MAX_LEFT", 3)
    part = Part("all", lambda versions: Done(failed=list(versions)))
    for _ in range(20):
        world.sweeper(part)()
    parts = world.stored().parts
    assert parts is not None
    assert len(parts["all"].left) <= 3
    assert not parts["all"].scanned
    world.steps()
    assert newest(world.lots) == STREAMS


def test_what_concerns_nobody_is_passed_over(world: World) -> None:
    part = Part("all", world.do, lambda event: event.originator_id == "s5")
    world.sweeper(part, left=float("inf"))()
    assert world.is_done()
    assert newest(world.lots) == {"s5": STREAMS["s5"]}


def test_an_operator_may_end_it(world: World) -> None:
    """As the runbook says; the next epoch's sweep follows."""
    sweeper = world.sweeper()
    sweeper()
    name = full_name(world.tables.prefix, "lease")
    world.tables.client.put_item(
        TableName=name, Item={"name": {"S": "swept#x"}, "epoch": {"N": "1"}}
    )
    sweeper()
    world.sweeper()()
    assert len(world.lots) == 1
    assert world.is_done()
    world.epoch = 2
    world.steps()
    assert newest(world.lots[1:]) == STREAMS


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_done_means_done_in_this_epoch(world: World, seed: int) -> None:
    """Processes that stop, fail, sleep and overtake each other, while the lease goes and comes."""
    chance = random.Random(seed)
    done: dict[tuple[int, str], int] = {}
    depth = 0

    def do(versions: Mapping[str, int]) -> Done:
        nonlocal depth
        epoch, tried = world.epoch, list(versions)
        if depth < 2 and chance.random() < 0.2:
            depth += 1
            sweep()
            depth -= 1
        if chance.random() < 0.1:
            raise OperationalError("no answer")
        untried = tried[chance.randrange(len(tried) + 1) :] if chance.random() < 0.2 else []
        failed = {stream for stream in tried if stream not in untried and chance.random() < 0.1}
        for stream in set(tried) - failed - set(untried):
            key = epoch, stream
            done[key] = max(versions[stream], done.get(key, 0))
        return Done(failed, untried)

    def sweep() -> None:
        if chance.random() < 0.02:
            world.epoch += 1
        world.sweeper(Part("all", do), left=chance.choice([0.0, float("inf")]))()

    for _ in range(300):
        try:
            sweep()
        except OperationalError:
            depth = 0
        stored = world.stored()
        if stored.epoch and stored.parts is None:
            here = {stream: version for (e, stream), version in done.items() if e == stored.epoch}
            assert here == STREAMS
            if stored.epoch > 3:
                return
            world.epoch = stored.epoch + 1
    raise AssertionError("it comes to no end")
