"""What can't be delivered: put aside with the reason, shown, and sent again."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from eventsourcing.persistence import StoredEvent

from ledger.codec import decode
from ledger.domain import events as e
from projections.delivery.relay import RELAY
from tests.integration.pump.support import Site
from tests.support.delivery import placed, sealed

CANCELLED = sealed(
    "order:LATE",
    2,
    e.OrderCancelled(
        released=(e.Allocation(line=1, location="main", reserved=0, backordered=0),), reason="x"
    ),
)
"""An event whose first version is missing."""


def test_a_poison_message_is_put_aside_and_a_redrive_heals(ministack: Site) -> None:
    ministack.receive("MUG", 5)
    ministack.insert(CANCELLED)
    pump = ministack.command("pump", "--once")
    assert (pump.returncode, "put aside" in pump.stderr) == (1, True), pump.stderr
    assert ministack.stock_rows(), "it kept nobody waiting"

    shown = ministack.command("redrive", "--list")
    assert shown.returncode == 1
    for told in ("orders", "OrderCancelled order:LATE", "EventsMissing", "version 1 is missing"):
        assert told in " ".join(shown.stdout.split()), shown.stdout
    again = ministack.command("redrive", "orders")
    assert (again.returncode, "0 sent again, 1 failed" in again.stdout) == (1, True)
    assert "version 1 is missing" in again.stderr

    ministack.insert(placed("LATE"))
    healed = ministack.command("redrive")
    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert "orders: 1 sent again, 0 failed" in healed.stdout
    assert ministack.order_rows()["LATE",].version == 2
    nothing = ministack.command("redrive", "--list")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "There are no dead letters." in nothing.stderr


def test_a_record_that_is_no_event_is_put_aside_by_the_relay(ministack: Site) -> None:
    ministack.insert(StoredEvent("thing", 1, "Strange", b"no envelope"))
    ministack.insert(StoredEvent("snap", 1, "Strange", b"a snapshot"), purpose={"S": "snapshots"})
    ministack.receive("MUG", 5)
    pump = ministack.drained()
    assert ministack.stock_rows()
    assert pump.totals.count("RelayRejected") == 1
    (kept,) = ministack.local().letters.of(RELAY)
    assert "thing version 1: not an envelope" in kept.letter.reason
    shown = ministack.command("redrive", RELAY, "--list")
    assert (shown.returncode, "thing version 1" in shown.stdout) == (1, True)
    assert ministack.command("redrive", RELAY).returncode == 1
    purged = ministack.command("redrive", RELAY, "--purge", "--yes")
    assert (purged.returncode, "relay: 1 forgotten" in purged.stdout) == (0, True)
    assert ministack.local().letters.of(RELAY) == []


def test_a_letter_of_the_relay_is_delivered_when_it_can_be(ministack: Site) -> None:
    """As after an update that reads what the version before could not."""
    ministack.insert(StoredEvent("thing", 1, "Strange", b"no envelope"))
    ministack.drained()
    letters = ministack.local().letters
    (kept,) = letters.of(RELAY)
    readable = kept.letter.body.replace('"thing"', '"order:A-1"')
    readable = readable.replace("Strange", "OrderPlaced").replace(
        "bm8gZW52ZWxvcGU=", b64encode(placed("A-1").state).decode()
    )
    letters.remove(kept)
    letters.put(replace(kept.letter, body=readable))
    ministack.insert(placed("A-1"))
    assert ministack.command("redrive", RELAY).returncode == 0
    assert ministack.order_rows()["A-1",].version == decode(placed("A-1")).version
