"""Many who store and sequence at once, and answers that are lost on the way."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse
from eventsourcing.persistence import Notification, StoredEvent

from ledger.store.dynamodb import DynamoDBLedgerRecorder
from ledger.store.dynamodb_feed import Feed
from tests.support.api_calls import Refused
from tests.support.event_stores import EventTables

STREAMED = True

THREADS = 8
COMMITS = 6


def busy(recorder: DynamoDBLedgerRecorder, name: int, start: threading.Barrier) -> list[Any]:
    """Store commits of a stream of one's own and a new one; read after each of them."""
    seen: list[Notification] = []
    start.wait()
    for n in range(1, COMMITS + 1):
        own = StoredEvent(f"own-{name}", n, "T", b"{}")
        recorder.insert_events([own, StoredEvent(f"new-{name}-{n}", n % 2, "T", b"{}")])
        if random.random() < 0.7:
            news = recorder.select_notifications(len(seen), 50, inclusive_of_start=False)
            seen += news
    return seen


def test_whoever_sequences_everybody_reads_the_same(tables: EventTables) -> None:
    recorders = [tables.open(read_timeout=60) for _ in range(THREADS)]
    start = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as threads:
        seen = list(threads.map(busy, recorders, range(THREADS), [start] * THREADS))
    for recorder in recorders:
        recorder.max_notification_id()
    read = [recorder.select_notifications(None, 10_000) for recorder in recorders]
    assert all(each == read[0] for each in read)
    assert [n.id for n in read[0]] == list(range(1, THREADS * COMMITS * 2 + 1))
    for part in seen:
        assert part == read[0][: len(part)]
    versions = defaultdict(list)
    for notification in read[0]:
        versions[str(notification.originator_id)].append(notification.originator_version)
    for name in range(THREADS):
        assert versions[f"own-{name}"] == list(range(1, COMMITS + 1))
    assert sum(map(len, versions.values())) == THREADS * COMMITS * 2


def test_sequencers_that_are_hinted_at_the_same_give_each_position_once(
    tables: EventTables, recorder: DynamoDBLedgerRecorder
) -> None:
    for version in range(1, 6):
        recorder.insert_events([StoredEvent(s, version, "T", b"{}") for s in "abcdefgh"])
    feeds = [Feed(tables.connect(read_timeout=60)) for _ in range(THREADS)]

    def sequence(feed: Feed) -> None:
        for version in range(1, 6):
            streams = list("abcdefgh")
            random.shuffle(streams)
            feed.sequence((stream, version) for stream in streams)

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(sequence, feeds))
    places = feeds[0].read(0, 1_000)
    assert [place.position for place in places] == list(range(1, 41))
    for stream in "abcdefgh":
        assert [p.version for p in places if p.stream == stream] == [1, 2, 3, 4, 5]


def test_a_page_whose_answer_was_lost_is_put_once_though_the_sdk_puts_it_again(
    tables: EventTables, recorder: DynamoDBLedgerRecorder
) -> None:
    recorder.insert_events([StoredEvent("a", 1, "T", b"{}"), StoredEvent("b", 1, "T", b"{}")])
    here = tables.connect()
    asked: list[dict[str, Any]] = []
    hooks: Any = here.client.meta.events

    def ask(params: dict[str, Any], **_: Any) -> None:
        asked.append(params)

    def lose(request: AWSRequest, **_: Any) -> AWSResponse | None:
        """Let another client put the page at first, and answer an error."""
        if len(asked) > 1:
            return None
        tables.client.put_item(**asked[0])
        asked.append({})
        return Refused("InternalServerError", status=500).response(str(request.url))

    hooks.register("provide-client-params.dynamodb.PutItem", ask)
    hooks.register("before-send.dynamodb.PutItem", lose)
    feed = Feed(here)
    feed.sequence([("a", 1), ("b", 1)])
    assert len(asked) > 1
    feed.sequence([("b", 1), ("a", 1)])
    assert [tuple(place) for place in feed.read(0, 10)] == [(1, "a", 1), (2, "b", 1)]
