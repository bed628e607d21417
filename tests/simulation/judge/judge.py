"""The judge of a world that came to rest: every law, in one verdict."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eventsourcing.persistence import StoredEvent

from ledger.store.dynamodb_feed import Feed
from ledger.store.dynamodb_tables import DynamoDBTables
from ledger.verify import Verifier
from projections.store.dynamodb import DynamoDBViewStore
from projections.views import OpenReservationsView, OrdersView, StockLevelsView, View
from tests.simulation.dynamodb.client import FakeClient
from tests.simulation.judge.books import Books
from tests.simulation.judge.findings import insist
from tests.simulation.judge.history import Commit, Event, commits_of
from tests.simulation.judge.promises import Promises
from tests.simulation.judge.tellings import Facts
from tests.simulation.judge.views import Expected, Rows
from tests.simulation.world.processes import PREFIX
from tests.simulation.world.queues import POISON

if TYPE_CHECKING:
    from tests.simulation.world.world import World

FEED: Final = "the feed holds every event once, in its stream's order"
STARVED: Final = "nothing that could go on is left"
LETTERS: Final = "only what nobody can read ends among the dead letters"
VERIFIED: Final = "12: the ledger's own verification agrees"


@dataclass(frozen=True)
class Told:
    """What history tells of how everything else must be."""

    commits: Sequence[Commit]
    books: Books
    expected: Expected
    facts: Facts


def judge(world: World) -> None:
    """Judge a world at rest.

    Raises
    ------
    LawBroken
        A law isn't held; the first that is found.
    """
    told = judge_history(world)
    client = FakeClient(world.database)
    _judge_verification(world)
    _judge_rest(told.books, world)
    _judge_views(client, told.expected, world)
    _judge_feed(Feed(DynamoDBTables(client, PREFIX)), told.commits)  # type: ignore[arg-type]
    told.facts.judge(world.told, doubtful=world.doubtful)
    _judge_letters(world)


def judge_history(world: World) -> Told:
    """Judge every commit, and what clients were told of them; that can be done at any time.

    Raises
    ------
    LawBroken
        As in `judge`.
    """
    expected, facts = Expected(), Facts()

    def see(event: Event, books: Books) -> None:
        expected.see(event, books)
        facts.see(event, books)

    books = Books(see)
    promises = Promises((sent for writer in world.writers for sent in writer.journal), books)
    commits = commits_of(world.database.tables[f"{PREFIX}-events"])
    for commit in commits:
        books.take(commit)
        promises.take(commit)
    promises.conclude()
    return Told(commits, books, expected, facts)


def _judge_verification(world: World) -> None:
    verifier = Verifier()
    for write in world.database.tables[f"{PREFIX}-events"].stream:
        item = write.new
        assert item is not None
        verifier.see(
            StoredEvent(
                item["stream"]["S"],
                int(item["version"]["N"]),
                item["type"]["S"],
                item["state"]["B"],
            )
        )
    report = verifier.conclude()
    insist(report.ok, VERIFIED, f"{report.findings}")


def _judge_rest(books: Books, world: World) -> None:
    for spot, stock in books.stock.items():
        stuck = stock.backordered and stock.free
        insist(not stuck, STARVED, f"{spot}: {stock.free} free, {stock.backordered} wait")
    for order in books.orders.values():
        insist(not order.pending, STARVED, f"{order.order_id} is still to be allocated")
        insist(not order.under_way.total(), STARVED, f"{order.order_id} is under way")
        due = order.expires_at is not None and order.expires_at <= world.now
        insist(
            not (due and order.reserved + order.waiting), STARVED,
            f"{order.order_id} was to expire at {order.expires_at}",
        )  # fmt: skip


def _judge_views(client: FakeClient, expected: Expected, world: World) -> None:
    store = DynamoDBViewStore(client, PREFIX)  # type: ignore[arg-type]
    views: tuple[tuple[View[Any], Rows], ...] = (
        (StockLevelsView(), expected.stock),
        (OrdersView(), expected.orders),
        (OpenReservationsView(), expected.orders),
    )
    for view, streams in views:
        for number in store.generations(view).live:
            generation = view.at(number)
            rows = [row for page in store.scan(generation) for row in page]
            expected.judge(generation.name, rows, streams)
    for name, row in world.seen:
        expected.judge_row(f"a reader of {name}", row)


def _judge_feed(feed: Feed, commits: Iterable[Commit]) -> None:
    places = feed.read(0, 10**6)
    numbers = [place.position for place in places]
    insist(numbers == list(range(1, len(places) + 1)), FEED, f"positions {numbers}")
    newest: dict[str, int] = {}
    for place in places:
        before = newest.get(place.stream, 0)
        insist(place.version == before + 1, FEED, f"{place} comes after version {before}")
        newest[place.stream] = place.version
    wanted: dict[str, int] = {}
    for commit in commits:
        wanted |= {event.stream: event.version for event in commit.events}
    lacking = {s: (v, newest.get(s, 0)) for s, v in wanted.items() if newest.get(s, 0) != v}
    insist(newest == wanted, FEED, f"not sequenced to the end: {lacking}")


def _judge_letters(world: World) -> None:
    for queue in world.queues.values():
        strange = [body for body in queue.dead if body not in POISON]
        insist(not strange, LETTERS, f"{queue.name}: {strange}")
        bodies = sorted(set(queue.poisoned) - set(queue.dead))
        insist(not bodies, LETTERS, f"{queue.name} lost {json.dumps(bodies)}")
