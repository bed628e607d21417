"""The audit of views finds what is wrong, and only that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.codec import decode
from ledger.service import commands as c
from projections.audit import ViewAudit
from projections.bootstrap import Projections, open_projections
from projections.store import Checkpoint
from projections.views import Row, View
from tests.support.histories import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    receive(world, "S0", 5)
    receive(world, "S0", 2)
    line = c.OrderRequestLine("S0", 3, "A")
    world.handle(c.PlaceOrder((line,), order_id="O1"))
    world.handle(c.ShipOrder("O1"))
    yield world
    world.recorder.close()


@pytest.fixture
def projections(world: World) -> Iterator[Projections]:
    projections = open_projections(world.recorder, path=world.path)
    yield projections
    projections.close()


def receive(world: World, sku: str, units: int) -> None:
    world.handle(c.ReceiveStock((c.ReceiptLine(sku, "A", units),)))


def audited(world: World, projections: Projections, *, without: int | None = None) -> ViewAudit:
    """An audit that has seen the log, but for the event at one position."""
    audit = projections.audit()
    for event in world.log():
        if event.id != without:
            audit.see(decode(event), event.id)
    return audit


def tamper(projections: Projections, view: View[Any], **fields: int | str) -> None:
    """Change the view's only row, past the version gate."""
    row: Row = next(projections.store.each(view))
    sets = ", ".join(f"{name} = ?" for name in fields)
    with projections.store._connection() as connection:  # type: ignore[attr-defined]
        connection.execute(
            f"UPDATE view_{view.name} SET {sets} WHERE version = ?",
            (*fields.values(), row.version),
        )


def test_views_that_are_up_to_date_have_no_findings(world: World, projections: Projections) -> None:
    projections.runner.catch_up()
    audit = audited(world, projections)

    assert list(audit.findings()) == []
    assert audit.lag() == {"stock_levels": 0, "orders": 0, "open_reservations": 0}


def test_a_view_that_lags_is_not_wrong(world: World, projections: Projections) -> None:
    projections.runner.catch_up(4)
    receive(world, "S1", 1)
    audit = audited(world, projections)

    assert list(audit.findings()) == []
    assert audit.lag() == {"stock_levels": 2, "orders": 1, "open_reservations": 1}


def test_an_empty_view_lags(world: World, projections: Projections) -> None:
    audit = audited(world, projections)

    assert list(audit.findings()) == []
    assert audit.lag() == {"stock_levels": 1, "orders": 1, "open_reservations": 1}


def test_a_changed_row_is_found(world: World, projections: Projections) -> None:
    projections.runner.catch_up()
    tamper(projections, projections.stock_levels_view, on_hand=44, at="never")
    tamper(projections, projections.orders_view, shipped=2)
    found = list(audited(world, projections).findings())

    assert len(found) == 2
    assert found[0].startswith("stock_levels row S0@A differs: on_hand is 44, ")
    assert "events at version 4 make it 4, at is 'never', its" in found[0]
    assert found[1] == ("orders row O1 differs: shipped is 2, its events at version 2 make it 3")


def test_a_row_ahead_of_its_stream_is_found(world: World, projections: Projections) -> None:
    projections.runner.catch_up()
    tamper(projections, projections.orders_view, version=7)

    assert list(audited(world, projections).findings()) == [
        "orders row O1 is at version 7, ahead of its stream, which ends at 2"
    ]


def test_a_row_of_no_stream_is_found(world: World, projections: Projections) -> None:
    projections.runner.catch_up()
    row = next(projections.store.each(projections.stock_levels_view))
    projections.store.save(projections.stock_levels_view, [replace(row, sku="S9")])

    assert list(audited(world, projections).findings()) == [
        "stock_levels row S9@A shows version 4 of a stream that isn't there"
    ]


def test_rows_that_a_checkpoint_passed_by_are_found(world: World, projections: Projections) -> None:
    projections.runner.catch_up(2)
    receive(world, "S1", 1)
    end = Checkpoint(world.log()[-1].id, "then")
    for view in projections.views:
        projections.store.save(view, [], end)
    audit = audited(world, projections)

    assert list(audit.findings()) == [
        "stock_levels row S0@A is at version 2, though the view's checkpoint says that "
        "version 4 was applied",
        "stock_levels row S1@A is missing, though the view's checkpoint says that "
        "version 1 was applied",
        "orders row O1 is missing, though the view's checkpoint says that version 2 was applied",
        "open_reservations row O1 is missing, though the view's checkpoint says that "
        "version 2 was applied",
    ]
    assert audit.lag() == {"stock_levels": 2, "orders": 1, "open_reservations": 1}


def test_what_the_log_lacks_is_found(world: World, projections: Projections) -> None:
    projections.runner.catch_up()
    log = world.log()
    placed = next(event.id for event in log if event.originator_id == "order:O1")
    newest = max(event.id for event in log if event.originator_id == "stock:S0@A")

    assert list(audited(world, projections, without=placed).findings()) == [
        f"{view} row O1 can't be compared: order:O1 version 1: not in the log"
        for view in ("orders", "open_reservations")
    ]
    assert list(audited(world, projections, without=newest).findings()) == [
        "stock_levels row S0@A is at version 4, ahead of its stream, which ends at 3"
    ]
    receive(world, "S0", 1)
    assert list(audited(world, projections, without=newest).findings()) == [
        "stock_levels row S0@A is at version 4, which is not in the log"
    ]


def test_a_corrupt_event_is_reported_with_its_row(world: World, projections: Projections) -> None:
    projections.runner.catch_up()
    audit = projections.audit()
    for event in world.log():
        recorded = decode(event)
        if recorded.type == "OrderPlaced":
            recorded = replace(recorded, type="OrderMisplaced")
        audit.see(recorded, event.id)

    assert list(audit.findings()) == [
        f"{view} row O1 can't be compared: order:O1 version 1: unknown event type 'OrderMisplaced'"
        for view in ("orders", "open_reservations")
    ]


def moving(world: World, projections: Projections, meanwhile: Callable[[], object]) -> ViewAudit:
    """An audit that has seen the log; something happens to the rows after it read them."""
    views = (projections.stock_levels_view, projections.orders_view)
    audit = ViewAudit(projections.store, views, world.recorder)
    meanwhile()
    for event in world.log():
        audit.see(decode(event))
    return audit


def test_rows_that_move_on_meanwhile_are_not_wrong(world: World, projections: Projections) -> None:
    def move_on() -> None:
        receive(world, "S0", 1)
        projections.runner.catch_up()

    projections.runner.catch_up(2)
    audit = moving(world, projections, move_on)

    assert list(audit.findings()) == []
    assert audit.lag() == {"stock_levels": 0, "orders": 0}


def test_rows_that_lag_in_the_end_lag(world: World, projections: Projections) -> None:
    audit = moving(world, projections, lambda: projections.runner.catch_up(3))

    assert list(audit.findings()) == []
    assert audit.lag() == {"stock_levels": 1, "orders": 1}


def test_a_wrong_row_that_is_mended_meanwhile_is_not_wrong(
    world: World, projections: Projections
) -> None:
    projections.runner.catch_up()
    row = next(projections.store.each(projections.stock_levels_view))
    tamper(projections, projections.stock_levels_view, on_hand=44)
    tamper(projections, projections.orders_view, shipped=2)

    def mend() -> None:
        tamper(projections, projections.stock_levels_view, on_hand=row.on_hand)

    assert list(moving(world, projections, mend).findings()) == [
        "orders row O1 differs: shipped is 2, its events at version 2 make it 3"
    ]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"on_hand": 45}, "differs: on_hand is 45, its events at version 4 make it 4"),
        ({"version": 9}, "is at version 9, which its stream does not reach without a gap"),
        ({"version": 0}, "is at version 0, which its stream does not reach without a gap"),
        ({"version": 3, "on_hand": 7}, "differs: reserved is 0, its events at version 3 make it 3"),
    ],
)
def test_a_wrong_row_that_changes_is_judged_anew(
    world: World, projections: Projections, change: dict[str, int], found: str
) -> None:
    projections.runner.catch_up()
    view = projections.stock_levels_view
    tamper(projections, view, on_hand=44)
    audit = moving(world, projections, lambda: tamper(projections, view, **change))
    (finding,) = audit.findings()
    assert finding.startswith(f"stock_levels row S0@A {found}")


def test_a_row_of_no_stream_is_found_though_it_moves(
    world: World, projections: Projections
) -> None:
    projections.runner.catch_up()
    view = projections.stock_levels_view
    row = replace(next(projections.store.each(view)), sku="S9")
    projections.store.save(view, [row])
    newer = replace(row, version=row.version + 1)
    audit = moving(world, projections, lambda: projections.store.save(view, [newer]))
    assert list(audit.findings()) == [
        "stock_levels row S9@A shows version 5 of a stream that isn't there"
    ]
