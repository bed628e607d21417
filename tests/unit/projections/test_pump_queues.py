"""The local pump's parts: tickets, positions, queues and bus."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from projections.delivery.consumer import Consumer
from projections.delivery.meters import Totals
from projections.pump.plumbing import Plumbing
from projections.pump.queues import LocalQueue
from projections.pump.tickets import PatientPositions, Ticket
from tests.support.delivery import Letters, Seconds, placed, received, stream_record


class Positions:
    """Positions in a dictionary."""

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}

    def load(self) -> dict[str, str]:
        return dict(self.stored)

    def save(self, shard: str, position: str) -> None:
        self.stored[shard] = position

    def forget(self, shard: str) -> None:
        self.stored.pop(shard, None)


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=6))
def test_a_position_waits_for_everything_before_it(order: list[int], flushes: list[int]) -> None:
    stored = Positions()
    patient = PatientPositions(stored)
    tickets = [Ticket() for _ in order]
    for number, ticket in enumerate(tickets):
        ticket.add()
        patient.cover("s", ticket)
        patient.save("s", str(number))
    assert stored.stored == {}
    done: set[int] = set()
    for step, number in enumerate(order):
        tickets[number].settle()
        done.add(number)
        if step in flushes or len(done) == len(order):
            assert patient.flush() is (len(done) == len(order))
        reached = stored.stored.get("s", "-1")
        assert done >= set(range(int(reached) + 1)), "nothing is passed over"
    assert stored.stored == {"s": "5"}


def test_a_shard_is_closed_after_its_last_batch() -> None:
    stored = Positions()
    patient = PatientPositions(stored)
    patient.save("old", "CLOSED")
    assert stored.stored == {"old": "CLOSED"}
    ticket = Ticket()
    ticket.add()
    patient.cover("new", ticket)
    patient.save("new", "7")
    patient.save("new", "CLOSED")
    patient.save("other", "9")
    assert stored.stored == {"old": "CLOSED", "other": "9"}
    ticket.settle()
    assert patient.flush()
    assert stored.stored["new"] == "CLOSED"
    patient.forget("new")
    assert patient.load() == {"old": "CLOSED", "other": "9"}


def test_what_fails_comes_again_later_and_later() -> None:
    clock = Seconds()
    queue = LocalQueue("q", clock=clock, jitter=lambda _low, high: high)
    ticket = Ticket()
    for body in ("one", "two"):
        queue.send(body, ticket)
    messages = queue.receive()
    assert [(m.body, m.receives) for m in messages] == [("one", 1), ("two", 1)]
    assert (len(queue), queue.receive()) == (2, [])
    queue.settle(messages, {messages[1].id})
    waits = []
    for _ in range(7):
        assert queue.receive() == []
        before = clock.now
        while not (again := queue.receive()):
            clock.now += 0.01
        waits.append(round(clock.now - before, 1))
        assert (len(queue), ticket.done) == (1, False)
        queue.settle(again, {again[0].id})
    assert waits == [0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    clock.now += 5
    queue.settle(queue.receive(), ())
    assert (len(queue), ticket.done) == (0, True)


def test_batches_hold_ten() -> None:
    queue = LocalQueue("q")
    for number in range(23):
        queue.send(str(number), Ticket())
    assert [len(queue.receive()) for _ in range(4)] == [10, 10, 3, 0]


def test_who_waits_is_woken() -> None:
    queue = LocalQueue("q")
    got: list[str] = []
    thread = threading.Thread(target=lambda: got.extend(m.body for m in queue.receive(30)))
    thread.start()
    queue.send("news", Ticket())
    thread.join(10)
    assert got == ["news"]


def plumbing(*consumers: Consumer, letters: Letters | None = None) -> Plumbing:
    return Plumbing(consumers, letters, Totals())


def test_events_go_to_the_queues_whose_rule_they_match() -> None:
    seen: dict[str, list[str]] = {"stock_levels": [], "orders": []}

    def handle(name: str) -> Consumer:
        def note(events: object) -> dict[str, Exception]:
            seen[name] += [event.stream for event in events]  # type: ignore[attr-defined]
            return {}

        return Consumer(name, note, lambda _stream, _version: None)

    pipes = plumbing(handle("stock_levels"), handle("orders"))
    ticket = Ticket()
    records = [stream_record(received("A")), stream_record(placed("o"))]
    assert pipes.relay(records, ticket)
    assert (pipes.waiting, ticket.done) == (2, False)
    assert pipes.serve("stock_levels")
    assert not ticket.done
    assert pipes.serve("orders")
    assert not pipes.serve("orders")
    assert (pipes.waiting, ticket.done) == (0, True)
    assert seen == {"stock_levels": ["stock:A@main"], "orders": ["order:o"]}


def test_a_message_that_stays_bad_ends_among_the_dead_letters() -> None:
    letters = Letters()
    consumer = Consumer(
        "orders",
        lambda events: {event.stream: ValueError("no") for event in events},
        lambda _stream, _version: None,
        letters,
        max_receives=2,
    )
    pipes = plumbing(consumer)
    ticket = Ticket()
    pipes.relay([stream_record(placed("o"))], ticket)
    while pipes.waiting:
        pipes.serve("orders", 1.0)
    assert (len(letters.all), ticket.done) == (1, True)


def test_a_consumer_with_a_defect_loses_no_message() -> None:
    class Broken(Consumer):
        def __call__(self, event: object) -> dict[str, object]:
            raise RuntimeError(f"a defect with {event}")

    pipes = plumbing(Broken("orders", lambda _: {}, lambda _s, _v: None))
    ticket = Ticket()
    pipes.relay([stream_record(placed("o"))], ticket)
    assert pipes.serve("orders")
    assert (pipes.waiting, ticket.done) == (1, False)


def test_a_batch_that_could_not_be_published_is_said_to_be() -> None:
    poison = stream_record(received("A"), state={"B": "AAAA"})
    assert not plumbing().relay([poison], Ticket())
    assert plumbing(letters=(letters := Letters())).relay([poison], Ticket())
    assert len(letters.all) == 1


def test_a_sweep_that_fails_is_not_the_end() -> None:
    def sweep() -> None:
        raise RuntimeError("a defect")

    swept: list[str] = []
    pipes = plumbing(
        Consumer("orders", lambda _: {}, lambda _s, _v: None, sweep=sweep),
        Consumer(
            "order_processor",
            lambda _: {},
            lambda _s, _v: None,
            sweep=lambda: swept.append("order_processor"),
        ),
    )
    pipes.sweep()
    assert swept == ["order_processor"]
