"""What a process knows of its Region's lease, by clocks that the tests move."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError
from pydantic import ValidationError

from ledger.errors import LeaseUnreadable, NotTheWriter
from ledger.lease import (
    REREAD_SECONDS,
    RETRY_SECONDS,
    SENDING_SECONDS,
    SETTLED_SECONDS,
    TRUSTED_SECONDS,
    Fence,
    Grant,
    Lease,
    Standing,
    State,
)
from ledger.settings import Settings
from ledger.store.dynamodb_client import make_client

HERE, THERE = "ap-southeast-4", "ap-southeast-2"


def granted(state: State = "open", epoch: int = 1, region: str = HERE) -> Grant:
    return Grant(state, epoch, region, "2026-11-22T00:00:00.000000Z", "a test")


class Table:
    """A Region's tables: what they say, whether they can be read, and how often they were."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.broken = False
        self.reads = 0
        self.monotonic = 1_000.0
        self.wall = 1_800_000_000.0
        self.takes = 0.0

    def read(self) -> Standing:
        self.reads += 1
        answer = self.standing
        self.pass_time(self.takes)
        if self.broken:
            raise OperationalError("no answer")
        return answer

    def pass_time(self, seconds: float) -> None:
        self.monotonic += seconds
        self.wall += seconds

    def lease(self, **options: Any) -> Lease:
        clocks = (lambda: self.monotonic, lambda: self.wall)
        return Lease(self.read, HERE, clocks=clocks, **options)


@pytest.fixture
def table() -> Table:
    return Table(Standing(granted()))


def test_the_wait_covers_the_oldest_copy_and_the_longest_sending() -> None:
    client = make_client("http://127.0.0.1:9", "eu-west-1")
    config: Any = client.meta.config
    client.close()
    assert config.connect_timeout + config.read_timeout <= SENDING_SECONDS
    assert TRUSTED_SECONDS + SENDING_SECONDS + 10 <= SETTLED_SECONDS
    reading = 2 * (1 + 1)  # two items, each with a second to connect and one for the answer
    assert REREAD_SECONDS + 2 * reading + RETRY_SECONDS < TRUSTED_SECONDS, "one read may fail"


def test_writing_costs_a_read_every_few_seconds(table: Table) -> None:
    lease = table.lease()
    for _ in range(1_000):
        lease.check()
        table.pass_time(0.01)
    assert table.reads == 2


@pytest.mark.parametrize(
    ("standing", "writer"),
    [
        (Standing(), None),
        (Standing(granted("closing", 2, THERE)), THERE),
        (Standing(granted("closed", 2, THERE)), THERE),
        (Standing(granted("open", 2, THERE)), THERE),
        (Standing(granted("open", 1), Fence(2, THERE)), THERE),
        (Standing(granted("open", 1), Fence(2, HERE)), HERE),
        (Standing(None, Fence(2, THERE)), THERE),
    ],
)
def test_who_does_not_hold_it_may_not_write(standing: Standing, writer: str | None) -> None:
    with pytest.raises(NotTheWriter) as refused:
        Table(standing).lease().check()
    assert refused.value.region == writer


def test_the_fence_of_an_older_change_is_passed() -> None:
    Table(Standing(granted("open", 3), Fence(3, HERE))).lease().check()
    Table(Standing(granted("open", 3), Fence(2, THERE))).lease().check()


def test_it_stops_soon_after_it_was_closed(table: Table) -> None:
    lease = table.lease()
    lease.check()
    table.standing = Standing(granted("closed", 2, THERE))
    table.pass_time(REREAD_SECONDS)
    lease.check()
    table.pass_time(0.001)
    with pytest.raises(NotTheWriter):
        lease.check()


def test_it_stops_when_the_lease_can_not_be_read(table: Table) -> None:
    lease = table.lease()
    lease.check()
    table.broken = True
    table.pass_time(TRUSTED_SECONDS)
    lease.check()
    table.pass_time(0.001)
    with pytest.raises(LeaseUnreadable):
        lease.check()
    table.broken = False
    lease.check()


def test_a_lease_that_can_not_be_read_is_not_asked_for_by_every_write(table: Table) -> None:
    lease = table.lease()
    lease.check()
    table.broken = True
    table.pass_time(REREAD_SECONDS + 0.1)
    for _ in range(100):
        lease.check()
    assert table.reads == 2
    table.pass_time(RETRY_SECONDS)
    lease.check()
    assert table.reads == 3


def test_a_slow_read_does_not_make_an_old_answer_new(table: Table) -> None:
    lease = table.lease()
    table.takes = TRUSTED_SECONDS + 0.1
    with pytest.raises(LeaseUnreadable):
        lease.check()


def test_a_process_that_slept_reads_before_it_writes(table: Table) -> None:
    lease = table.lease()
    lease.check()
    table.standing = Standing(granted("closed", 2, THERE))
    table.wall += 3_600  # the monotonic clock stood still with the machine
    with pytest.raises(NotTheWriter):
        lease.check()


def test_a_clock_that_was_set_back_makes_no_copy_younger(table: Table) -> None:
    lease = table.lease()
    lease.check()
    table.standing = Standing(granted("closed", 2, THERE))
    table.wall -= 60
    with pytest.raises(NotTheWriter):
        lease.check()


def test_a_no_is_never_remembered_by_those_who_act(table: Table) -> None:
    table.standing = Standing(granted("closed", 1, THERE))
    lease = table.lease()
    assert not lease.held()
    table.pass_time(0.001)
    table.standing = Standing(granted("open", 2))
    assert lease.held()
    reads = table.reads
    assert lease.held()
    assert table.reads == reads
    assert lease.epoch() == 2


def test_whether_to_act_is_not_guessed(table: Table) -> None:
    table.standing = Standing(granted("closed", 1, THERE))
    lease = table.lease()
    assert not lease.held()
    table.broken = True
    table.pass_time(0.001)
    with pytest.raises(LeaseUnreadable):
        lease.held()


def test_nobody_waits_for_a_read_while_the_copy_is_good(table: Table) -> None:
    reading, answer = threading.Event(), threading.Event()
    lease = table.lease()
    lease.check()
    quick = table.read

    def slow() -> Standing:
        reading.set()
        assert answer.wait(10)
        return quick()

    table.read = slow  # type: ignore[method-assign]
    lease._read = slow
    table.pass_time(REREAD_SECONDS + 0.1)
    thread = threading.Thread(target=lease.check)
    thread.start()
    assert reading.wait(10)
    lease.check()
    assert table.reads == 1
    answer.set()
    thread.join()
    assert table.reads == 2


def test_whoever_asks_makes_known_how_old_the_answer_is(table: Table) -> None:
    ages: list[float] = []
    lease = table.lease(observe=ages.append)
    table.pass_time(3_600)  # nobody asks, and nothing is told
    lease.check()
    table.pass_time(REREAD_SECONDS)
    lease.check()
    assert ages == [0.0, REREAD_SECONDS]
    table.pass_time(1)
    lease.check()
    assert ages.pop() == 0.0
    table.broken = True
    table.pass_time(TRUSTED_SECONDS)
    lease.check()
    table.pass_time(1)
    with pytest.raises(LeaseUnreadable):
        lease.check()
    assert ages[2:] == [TRUSTED_SECONDS, TRUSTED_SECONDS + 1]
    table.broken = False
    assert lease.held()
    assert ages[-1] == 0.0


def test_a_lease_that_was_never_read_is_as_old_as_the_process(table: Table) -> None:
    ages: list[float] = []
    table.broken = True
    lease = table.lease(observe=ages.append)
    for _ in range(3):
        with pytest.raises(LeaseUnreadable):
            lease.check()
        table.pass_time(10)
    assert ages == [0.0, 10.0, 20.0]


def test_a_lease_is_for_tables_in_a_region_that_has_a_name() -> None:
    assert Settings(_env_file=None, store="dynamodb:shop", region=HERE, lease=True).lease
    for store, region in (("sqlite:x.db", HERE), ("dynamodb:shop", "local")):
        with pytest.raises(ValidationError, match="LEDGER_REGION"):
            Settings(_env_file=None, store=store, region=region, lease=True)
