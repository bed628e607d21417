"""Any hints in any order, sequencers in each other's way, stopped anywhere: one true sequence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

import pytest
from botocore.exceptions import ConnectionClosedError
from eventsourcing.persistence import OperationalError, StoredEvent
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from mypy_boto3_dynamodb import DynamoDBClient

from ledger.store.dynamodb_client import make_client
from ledger.store.dynamodb_feed import Feed
from ledger.store.dynamodb_feed_pages import (
    MAX_BYTES,
    MAX_EVENTS,
    Entry,
    Page,
    Place,
    fill,
    page_item,
    page_of,
)
from ledger.store.dynamodb_items import event_item, item_size
from ledger.store.dynamodb_tables import DynamoDBTables
from ledger.store.tables import create_table_request
from tests.support.engines import Engines
from tests.support.faults import Crash

STREAMS = ("a", "b", "c", "d")
FIRST = {"a": 1, "b": 0, "c": 1, "d": 7}
"""Streams of other applications begin at any version."""


@dataclass(frozen=True)
class Step:
    """A sequencer is hinted at streams; in its so-many-th request, something else comes first."""

    sequencer: int
    hints: list[tuple[str, int]]
    """Streams, and how much older than their newest version."""
    at: int
    then: Step | Literal["it dies", "no answer"]
    """What comes then."""
    after: bool
    """Whether it comes after the request, before the answer; or else before the request."""


steps: st.SearchStrategy[Step] = st.deferred(
    lambda: st.builds(
        Step,
        st.integers(0, 2),
        st.lists(st.tuples(st.sampled_from(STREAMS), st.integers(0, 2)), min_size=1, max_size=6),
        st.integers(0, 8),
        st.one_of(st.sampled_from(["it dies", "no answer"]), steps),
        st.booleans(),
    )
)
appended = st.lists(st.sampled_from(STREAMS), max_size=5)


class Serial(ThreadPoolExecutor):
    """Does everything at once, so that a request is what it says it is."""

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Iterator[Any]:
        return map(fn, *iterables)


class Sequencers:
    """Three processes on one feed."""

    def __init__(self, clients: Sequence[DynamoDBClient]) -> None:
        prefix = uuid4().hex
        for name in ("events", "feed"):
            clients[0].create_table(**create_table_request(prefix, name))
        self.tables = [DynamoDBTables(client, prefix) for client in clients]
        for tables in self.tables:
            tables.in_parallel.shutdown()
            tables.in_parallel = Serial()
        self.feeds = [Feed(tables) for tables in self.tables]
        self.newest: dict[str, int] = {}
        self.due: dict[str, int] = {}
        self.before: list[Place] = []

    def append(self, streams: Iterable[str]) -> None:
        for stream in streams:
            version = self.newest.get(stream, FIRST[stream] - 1) + 1
            stored = StoredEvent(stream, version, "T", b"{}")
            tables = self.tables[0]
            tables.client.put_item(TableName=tables.events, Item=event_item(stored))
            self.newest[stream] = version

    def run(self, step: Step) -> None:
        hints = [
            (stream, max(FIRST[stream], self.newest[stream] - age))
            for stream, age in step.hints
            if stream in self.newest
        ]
        try:
            with self.interrupted(step):
                self.feeds[step.sequencer].sequence(hints)
        except Crash:
            self.feeds[step.sequencer] = Feed(self.tables[step.sequencer])
        except OperationalError:
            pass
        else:
            for stream, version in hints:
                self.due[stream] = max(version, self.due.get(stream, version))
        self.check()

    @contextmanager
    def interrupted(self, step: Step) -> Iterator[None]:
        left = step.at

        def interrupt(**_: Any) -> None:
            nonlocal left
            left -= 1
            if left != -1:
                return
            if step.then == "it dies":
                raise Crash
            if step.then == "no answer":
                raise ConnectionClosedError(endpoint_url="nowhere")
            if step.then.sequencer != step.sequencer:
                self.run(step.then)

        events: Any = self.tables[step.sequencer].client.meta.events
        when = "after-call" if step.after else "before-call"
        events.register(f"{when}.dynamodb.*", interrupt)
        try:
            yield
        finally:
            events.unregister(f"{when}.dynamodb.*", interrupt)

    def check(self) -> None:
        """What was read stays; what was asked for is there; nothing twice, and all in order."""
        places = Feed(self.tables[0]).read(0, 10_000)
        assert places[: len(self.before)] == self.before
        assert [place.position for place in places] == list(range(1, len(places) + 1))
        versions = defaultdict(list)
        for place in places:
            versions[place.stream].append(place.version)
        for stream, found in versions.items():
            assert found == list(range(FIRST[stream], FIRST[stream] + len(found)))
        for stream, version in self.due.items():
            assert version in versions[stream]
        self.before = places


@pytest.fixture(scope="module")
def clients(engines: Engines) -> Iterator[list[DynamoDBClient]]:
    """A client for each of three processes."""
    assert isinstance(engines, Engines), "it makes the environment that boto3 must find"
    with mock_aws():
        clients = [make_client() for _ in range(3)]
        yield clients
        for client in clients:
            client.close()


@given(script=st.lists(st.tuples(appended, steps), min_size=1, max_size=6))
def test_whoever_sequences_and_wherever_they_stop(
    clients: list[DynamoDBClient], script: list[tuple[list[str], Step]]
) -> None:
    sequencers = Sequencers(clients)
    for streams, step in script:
        sequencers.append(streams)
        sequencers.run(step)
    sequencers.feeds[0].sequence(sequencers.newest.items())
    sequencers.due = dict(sequencers.newest)
    sequencers.check()
    every = sum(v - FIRST[s] + 1 for s, v in sequencers.newest.items())
    assert sequencers.feeds[1].end() == len(sequencers.before) == every


def undisturbed(sequencer: int, *streams: str) -> Step:
    return Step(sequencer, [(stream, 0) for stream in streams], 99, "it dies", after=False)


@pytest.mark.parametrize("at", range(8))
def test_a_sequencer_that_was_overtaken_moves_no_head_back(
    clients: list[DynamoDBClient], at: int
) -> None:
    """It sleeps before any of its requests, while another one goes on from its page."""
    sequencers = Sequencers(clients)
    sequencers.append("aabb")
    sequencers.run(Step(0, [("a", 1), ("b", 1)], at, undisturbed(1, "a", "b"), after=False))
    sequencers.append("abcd")
    for stream in "cdab":
        sequencers.run(undisturbed(2 if stream == "d" else 1, stream))
    assert len(sequencers.before) == 8


@pytest.mark.parametrize("at", range(8))
@pytest.mark.parametrize("then", ["it dies", "no answer"])
@pytest.mark.parametrize("after", [False, True])
def test_a_sequencer_may_stop_before_and_after_any_of_its_requests(
    clients: list[DynamoDBClient], at: int, then: Literal["it dies", "no answer"], after: bool
) -> None:
    """Read the end, read heads, find two first versions, put the page, move two heads."""
    sequencers = Sequencers(clients)
    sequencers.append("ab")
    sequencers.run(Step(0, [("a", 0), ("b", 0)], at, then, after))
    sequencers.append("abcd")
    for step in (undisturbed(0, "c"), undisturbed(1, "d"), undisturbed(2, "a", "b")):
        sequencers.run(step)
    assert len(sequencers.before) == 6


entries = st.builds(
    lambda stream, first, size: Entry(stream, first, first + size - 1),
    st.text(min_size=1, max_size=600),
    st.integers(0, 10**9),
    st.one_of(st.integers(1, 5), st.integers(1, 3 * MAX_EVENTS)),
)


@given(st.lists(entries, min_size=1, max_size=40), st.integers(1, 10**9))
def test_pages_hold_what_they_are_given_in_order_and_fit_an_item(
    wanted: list[Entry], first: int
) -> None:
    left, places = list(wanted), list[Place]()
    while left:
        page = fill(first, left)
        assert 1 <= page.count <= MAX_EVENTS
        assert item_size(page_item(page)) < 400 * 1024
        assert page_of(page_item(page)) == page
        assert page.last == first + page.count - 1
        first = page.last + 1
        places += page.places()
        for entry in page.entries:
            rest = left.pop(0)
            if entry != rest:
                assert rest.size > MAX_EVENTS == entry.size == page.count
                left.insert(0, Entry(rest.stream, entry.last + 1, rest.last))
    expected = [(e.stream, v) for e in wanted for v in range(e.first, e.last + 1)]
    assert [(place.stream, place.version) for place in places] == expected


def test_a_page_of_long_names_is_cut_before_it_is_too_large() -> None:
    names = [f"{n:04}" + "n" * 2_000 for n in range(MAX_EVENTS)]
    page = fill(1, [Entry(name, 1, 1) for name in names])
    assert 150 < page.count < MAX_EVENTS
    assert MAX_BYTES * 0.9 < item_size(page_item(page)) < 400 * 1024
    assert Counter(name for name, _, _ in page.entries).most_common(1)[0][1] == 1


def test_the_newest_version_of_each_stream_of_a_page_is_its_head() -> None:
    page = Page(1, (Entry("a", 1, 2), Entry("b", 0, 0), Entry("a", 3, 4)))
    assert page.heads() == {"a": 4, "b": 0}
    assert [tuple(place) for place in page.places()][-1] == (5, "a", 4)
