"""Altering, moving or repeating what was recorded fails verification."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.codec import CorruptEvent, Recorded, Stamp, check_seal, decode, encode
from ledger.domain import events as e
from ledger.domain.balance import Balance
from ledger.domain.values import OrderPolicy
from ledger.verify import Report
from tests.support.tampering import HERE, key_of, log, rows, verified

COLUMNS = ("originator_id", "originator_version", "topic", "state")
pairs = st.tuples(rows, rows).filter(lambda pair: pair[0] < pair[1])


def test_what_nobody_touched_is_sound() -> None:
    report = verified()
    assert report.ok, report.findings
    assert report.events == len(log())


@given(
    rows, st.sampled_from(("originator_id", "topic", "state")), st.integers(0), st.integers(1, 255)
)
def test_one_altered_byte_of_any_column_is_found(
    row: int, column: str, at: int, difference: int
) -> None:
    stored = log()[row]
    value = {
        "originator_id": str(stored.originator_id).encode(),
        "topic": stored.topic.encode(),
        "state": stored.state,
    }[column]
    altered = bytearray(value)
    altered[at % len(altered)] ^= difference
    kept_as = "BLOB" if column == "state" else "TEXT"
    change = f"UPDATE stored_events SET {column}=CAST(? AS {kept_as}) WHERE {HERE}"
    report = verified((change, (bytes(altered), *key_of(stored))))
    assert not report.ok
    assert report.events == len(log()), "the rest is verified all the same"


@given(rows, st.integers(-3, 40))
def test_an_altered_version_is_found(row: int, version: int) -> None:
    stream, before = key_of(log()[row])
    assume((stream, version) not in {key_of(stored) for stored in log()})
    change = f"UPDATE stored_events SET originator_version=? WHERE {HERE}"
    assert not verified((change, (version, stream, before))).ok


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("value", [None, "text", b"bytes", b"\xff", 7, 0.5, ""])
def test_a_value_of_another_kind_is_found(column: str, value: object) -> None:
    change = f"UPDATE stored_events SET {column}=? WHERE {HERE}"
    for row in (0, len(log()) - 1):
        assert not verified((change, (value, *key_of(log()[row])))).ok


def test_every_other_value_of_every_byte_breaks_the_seal() -> None:
    stored = log()[-1]
    for at, byte in enumerate(stored.state):
        altered = bytearray(stored.state)
        for other in range(256):
            altered[at] = other
            if other != byte:
                with pytest.raises(CorruptEvent):
                    check_seal(StoredEvent(*key_of(stored), stored.topic, bytes(altered)))


@given(rows, st.integers(0), st.binary(min_size=1, max_size=3), st.integers(0, 3))
def test_bytes_put_in_or_taken_out_break_the_seal(
    row: int, at: int, added: bytes, gone: int
) -> None:
    stored = log()[row]
    at %= len(stored.state) + 1
    altered = stored.state[:at] + added[gone:] + stored.state[at + gone :]
    assume(altered != stored.state)
    with pytest.raises(CorruptEvent):
        check_seal(StoredEvent(*key_of(stored), stored.topic, altered))


@given(pairs)
def test_two_events_in_each_others_place_are_found(pair: tuple[int, int]) -> None:
    one, other = log()[pair[0]], log()[pair[1]]
    change = f"UPDATE stored_events SET topic=?, state=? WHERE {HERE}"
    report = verified(
        (change, (one.topic, one.state, *key_of(other))),
        (change, (other.topic, other.state, *key_of(one))),
    )
    assert not report.ok


@given(rows, rows)
def test_an_event_repeated_at_the_end_of_any_stream_is_found(row: int, where: int) -> None:
    stored, (stream, _) = log()[row], key_of(log()[where])
    newest = max(version for name, version in map(key_of, log()) if name == stream)
    add = "INSERT INTO stored_events VALUES (?,?,?,?)"
    assert not verified((add, (stream, newest + 1, stored.topic, stored.state))).ok


@given(rows)
def test_an_event_that_is_sealed_anew_breaks_the_laws(row: int) -> None:
    assert not forged(decode(log()[row]), units=1).ok


@given(rows)
def test_an_event_that_is_sealed_anew_breaks_the_chain_even_if_it_is_true_to_the_laws(
    row: int,
) -> None:
    """Whoever forges all later events of the stream, too, is not found out by the log alone."""
    stream, version = key_of(log()[row])
    followed = any(key_of(stored) == (stream, version + 1) for stored in log())
    assert forged(decode(log()[row]), actor="somebody else").ok == (not followed)


BALANCE = Balance(on_hand=1)


@pytest.mark.parametrize(
    ("stream", "event"),
    [
        ("stock:C", e.StockReceived(quantity=1, balance=BALANCE)),
        ("stock:C@west#x", e.StockReceived(quantity=1, balance=BALANCE)),
        ("order:", e.ExpiryStarted()),
        ("order:o1", e.OrderAllocated(unfilled=(e.LineQuantity(line=9, quantity=1),))),
        ("order:o1", e.CancellationStarted(units=1, lines=(9,))),
        (
            "order:o1",
            e.ShipmentStarted(shipment_id="s", lines=(e.LineQuantity(line=9, quantity=1),)),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_sealed_event_that_names_what_there_is_not_is_found(stream: str, event: e.Event) -> None:
    report = with_more(stream, event)
    assert [str(finding).split(":")[0] for finding in report.findings] == [stream.split(":")[0]]


ASKED = (e.OrderLine(line=1, sku="A", quantity=1),)


@pytest.mark.parametrize("stream", ["order:o1", "order:o2"])
@pytest.mark.parametrize(
    "event",
    [
        e.OrderPlaced(
            policy=OrderPolicy.PARTIAL,
            line_count=1,
            lines=ASKED,
            unfilled=(e.LineQuantity(line=1, quantity=1),),
        ),
        e.OrderRejected(policy=OrderPolicy.PARTIAL, line_count=1, lines=ASKED),
        e.OrderCancelled(released=()),
    ],
    ids=lambda event: event.name,
)
def test_nothing_comes_after_an_order_was_closed(stream: str, event: e.Event) -> None:
    (finding,) = with_more(stream, event).findings
    assert finding.endswith("it comes after the order was closed")


def with_more(stream: str, event: e.Event) -> Report:
    """What is found once somebody sealed one more event onto the end of a stream."""
    newest = [decode(stored) for stored in log() if stored.originator_id == stream][-1:]
    prev, version = ("", 1) if not newest else (newest[0].hash, newest[0].version + 1)
    stamp = Stamp("9999-01-01T00:00:00.000000Z", "command", "somebody", "local", 1)
    _, stored = encode(stream, version, event, event_id="id", stamp=stamp, prev=prev)
    add = "INSERT INTO stored_events VALUES (?,?,?,?)"
    report = verified((add, (stream, version, stored.topic, stored.state)))
    assert report.events == len(log()) + 1
    return report


def forged(r: Recorded, *, units: int = 0, actor: str | None = None) -> Report:
    """What is found when an event is told otherwise, under a seal that fits it."""
    stamp, event = Stamp(r.at, r.command, actor or r.actor, r.region, r.size), r.event
    if isinstance(event, e.PositionEvent):
        more = event.balance.model_copy(update={"on_hand": event.balance.on_hand + units})
        event = event.model_copy(update={"balance": more})
    else:
        stamp = replace(stamp, size=r.size + units)
    _, stored = encode(r.stream, r.version, event, event_id=r.id, stamp=stamp, prev=r.prev)
    check_seal(stored)
    change = f"UPDATE stored_events SET state=? WHERE {HERE}"
    return verified((change, (stored.state, r.stream, r.version)))
