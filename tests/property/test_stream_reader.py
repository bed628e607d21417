"""Whatever becomes of a stream's shards and of its reader: every record is read, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from eventsourcing.persistence import InterfaceError, ProgrammingError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

from ledger.store.dynamodb_stream import DESCRIBE_SECONDS, ShardBatch, StreamReader
from ledger.store.dynamodb_stream_access import BEGINNING
from tests.support.fake_streams import FakeStreams, Positions

THROTTLED = (
    "ThrottlingException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
)


def reader_of(fake: FakeStreams, positions: Positions, now: list[float]) -> StreamReader:
    client = cast("DynamoDBStreamsClient", fake)
    return StreamReader(client, "arn:stream", positions, clock=lambda: now[0])


class Streams(RuleBasedStateMachine):
    """A reader that is throttled, expires and crashes, on a stream that splits and is trimmed.

    Its user scans, which sees all that was written, when the reader asks for it, before the first
    poll, and when a day passed without one: then even shards may be gone that nobody knew.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fake, self.positions, self.now = FakeStreams(), Positions(), [0.0]
        self.reader = reader_of(self.fake, self.positions, self.now)
        self.pending: list[ShardBatch] = []
        self.done: set[int] = set()
        self.unseen_for_a_day = True
        self.read: dict[str, int] = {}

    @rule(data=st.data(), count=st.integers(1, 5))
    def write(self, data: st.DataObject, count: int) -> None:
        shard = data.draw(st.sampled_from(self.open_shards()))
        for _ in range(count):
            self.fake.write(shard)

    @precondition(lambda self: len(self.fake.shards) < 12)
    @rule(data=st.data(), children=st.integers(1, 3))
    def split(self, data: st.DataObject, children: int) -> None:
        self.fake.split(data.draw(st.sampled_from(self.open_shards())), children)

    @rule()
    def poll(self) -> None:
        batches = self.reader.poll()
        if self.reader.trimmed or self.unseen_for_a_day:
            self.done.update(range(1, self.fake.written + 1))
            self.reader.recovered()
            self.unseen_for_a_day = False
        for batch in batches:
            self.see(batch)
        self.pending += batches
        self.now[0] += 1

    @rule(times=st.integers(1, 5))
    def keep_up(self, times: int) -> None:
        for _ in range(times):
            self.poll()
            while self.pending:
                self.acknowledged(self.pending.pop(0))

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.pending) - 1))
        self.acknowledged(self.pending.pop(at))

    def acknowledged(self, batch: ShardBatch) -> None:
        self.reader.done(batch)
        self.done.update(int(r["dynamodb"]["SequenceNumber"]) for r in batch.records)

    @rule(polled=st.booleans(), chance=st.integers(0, 3))
    def crash(self, polled: bool, chance: int) -> None:
        """Sometimes, perhaps after a poll whose outcome nobody heard of."""
        if chance:
            return
        if polled:
            self.reader.poll()
        self.pending, self.read = [], {}
        self.reader = reader_of(self.fake, self.positions, self.now)

    @rule()
    def expire(self) -> None:
        self.fake.expire()

    @rule()
    def wait(self) -> None:
        self.now[0] += DESCRIBE_SECONDS

    @rule(codes=st.lists(st.sampled_from(THROTTLED), max_size=3))
    def throttle(self, codes: list[str]) -> None:
        self.fake.refusals += codes

    @rule(data=st.data())
    def trim(self, data: st.DataObject) -> None:
        """The oldest records of a shard go, read or not; a closed shard may go as a whole."""
        name = data.draw(st.sampled_from([n for n, s in self.fake.shards.items() if s.listed]))
        shard = self.fake.shards[name]
        ancestors_gone = shard.parent is None or not self.fake.shards[shard.parent].listed
        if ancestors_gone:
            shard.trimmed = data.draw(st.integers(shard.trimmed, len(shard.records)))
            begun = self.positions.get(name, BEGINNING) != BEGINNING
            lost = not self.done.issuperset(shard.records[: shard.trimmed])
            self.unseen_for_a_day |= lost and not begun
            if shard.closed and shard.trimmed == len(shard.records):
                shard.listed = False

    @invariant()
    def no_shard_is_kept_for_ever(self) -> None:
        assert len(self.positions) <= len(self.fake.shards)

    def see(self, batch: ShardBatch) -> None:
        """Check the order within the shard, and that its parent is done."""
        numbers = [int(r["dynamodb"]["SequenceNumber"]) for r in batch.records]
        assert batch.last == str(numbers[-1])
        records = self.fake.shards[batch.shard].records
        start = records.index(numbers[0])
        assert numbers == records[start : start + len(numbers)]
        if batch.shard in self.read:
            trimmed = self.fake.shards[batch.shard].trimmed
            assert start in (self.read[batch.shard], trimmed)
        self.read[batch.shard] = start + len(numbers)
        parent = self.fake.shards[batch.shard].parent
        while parent is not None and self.fake.shards[parent].listed:
            ancestor = self.fake.shards[parent]
            assert self.done.issuperset(ancestor.records[ancestor.trimmed :])
            parent = self.fake.shards[parent].parent

    def open_shards(self) -> list[str]:
        return [name for name, shard in self.fake.shards.items() if not shard.closed]

    def teardown(self) -> None:
        self.fake.refusals.clear()
        for _ in range(200):
            self.keep_up(1)
        assert self.done == set(range(1, self.fake.written + 1))
        listed = {name for name, shard in self.fake.shards.items() if shard.listed}
        assert set(self.positions) <= listed


TestStreams = Streams.TestCase


def test_a_shard_is_read_on_only_when_its_batch_is_done() -> None:
    fake, positions, now = FakeStreams(), Positions(), [0.0]
    numbers = [fake.write("shard-0") for _ in range(4)]
    reader = reader_of(fake, positions, now)
    (first,) = reader.poll()
    assert (first.last, reader.poll()) == (str(numbers[2]), [])
    reader.done(first)
    assert positions == {"shard-0": first.last}
    (second,) = reader.poll()
    assert second.last == str(numbers[3])


def test_children_follow_at_once_when_their_parent_is_done() -> None:
    fake, now = FakeStreams(), [0.0]
    first, (left, right) = fake.write("shard-0"), fake.split("shard-0", 2)
    second, third = fake.write(left), fake.write(right)
    reader = reader_of(fake, Positions(), now)
    seen = []
    while batches := reader.poll():
        seen.append({int(batch.last) for batch in batches})
        for batch in batches:
            reader.done(batch)
    assert seen == [{first}, {second, third}]
    assert not reader.trimmed


def test_an_iterator_that_expired_is_made_anew() -> None:
    fake, positions, now = FakeStreams(), Positions(), [0.0]
    fake.write("shard-0")
    reader = reader_of(fake, positions, now)
    reader.done(reader.poll()[0])
    second = fake.write("shard-0")
    fake.expire()
    assert reader.poll() == []
    assert [batch.last for batch in reader.poll()] == [str(second)]
    assert not reader.trimmed


def far(fake: FakeStreams, positions: Positions, now: list[float]) -> None:
    """Read a shard to its end, so that only its position is known afterwards."""
    if not fake.shards["shard-0"].closed:
        fake.write("shard-0")
    reader = reader_of(fake, positions, now)
    while batches := reader.poll():
        for batch in batches:
            reader.done(batch)


def a_known_shard_is_gone(fake: FakeStreams, positions: Positions, now: list[float]) -> None:
    far(fake, positions, now)
    fake.split("shard-0", 0)
    fake.shards["shard-0"].listed = False


def shards_in_between_are_gone(fake: FakeStreams, positions: Positions, now: list[float]) -> None:
    fake.split("shard-0", 1)
    far(fake, positions, now)
    fake.write("shard-1")
    fake.split("shard-1", 1)
    fake.shards["shard-1"].listed = False


def records_are_gone(fake: FakeStreams, positions: Positions, now: list[float]) -> None:
    far(fake, positions, now)
    fake.write("shard-0")
    fake.shards["shard-0"].trimmed = 2


@pytest.mark.parametrize(
    "loss", [a_known_shard_is_gone, shards_in_between_are_gone, records_are_gone]
)
def test_what_was_trimmed_unread_is_reported_until_it_is_recovered(
    loss: Callable[[FakeStreams, Positions, list[float]], None],
) -> None:
    fake, positions, now = FakeStreams(), Positions(), [0.0]
    loss(fake, positions, now)
    for _ in range(2):
        late = reader_of(fake, positions, now)
        late.poll()
        assert late.trimmed
    late.recovered()
    last = [name for name, shard in fake.shards.items() if shard.listed and not shard.closed]
    for name in last:
        fake.write(name)
    while batches := late.poll():
        for batch in batches:
            late.done(batch)
    again = reader_of(fake, positions, now)
    assert again.poll() == []
    assert not again.trimmed


def test_a_parent_that_was_read_to_its_end_may_go() -> None:
    fake, positions, now = FakeStreams(), Positions(), [0.0]
    (child,) = fake.split("shard-0", 1)
    far(fake, positions, now)
    assert positions == {"shard-0": "CLOSED"}
    fake.shards["shard-0"].listed = False
    fake.write(child)
    reader = reader_of(fake, positions, now)
    (batch,) = reader.poll()
    assert not reader.trimmed
    assert positions == {child: BEGINNING}
    reader.done(batch)
    assert positions == {child: batch.last}


@pytest.mark.parametrize(
    ("code", "error"),
    [("ResourceNotFoundException", ProgrammingError), ("AccessDeniedException", InterfaceError)],
)
def test_a_stream_that_cannot_be_read_is_an_error(code: str, error: type[Exception]) -> None:
    fake = FakeStreams()
    fake.refusals = [code]
    with pytest.raises(error, match="arn:stream"):
        reader_of(fake, Positions(), [0.0]).poll()
