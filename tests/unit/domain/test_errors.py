"""What a refusal says, and what it carries for those who answer the client."""

from __future__ import annotations

import pytest

from ledger.domain import errors
from ledger.domain.events import Shortfall


def short(n: int) -> Shortfall:
    return Shortfall(sku=f"S{n}", location="main", requested=n + 1, available=n)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (errors.OrderExists("A-1"), "order A-1 exists already: choose another order_id"),
        (errors.OrderNotFound("A-1"), "there is no order A-1"),
        (
            errors.OrderNotOpen("A-1", "shipped", "cancel"),
            "order A-1 is shipped: nothing is left to cancel",
        ),
        (
            errors.OrderBusy("A-1", "shipment"),
            "the shipment of order A-1 is still under way: try again soon",
        ),
        (errors.LineNotFound("A-1", 7, 0), "order A-1 has no line 7"),
        (
            errors.LineExceeded("A-1", 7, 0, wanted=5, has=2),
            "line 7 of order A-1 has 2 left, 5 were asked for",
        ),
        (
            errors.VersionMismatch("stock:A@main", expected=3, actual=4),
            "stock:A@main is at version 4, not 3: read it again",
        ),
        (errors.BalanceLimitExceeded("on_hand", 99), "on_hand would exceed 99"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_what(error: errors.Refusal, says: str) -> None:
    assert str(error) == says
    assert isinstance(error, errors.Refusal)


def test_a_broken_law_is_no_refusal() -> None:
    assert not issubclass(errors.LawBroken, errors.Refusal)


def test_missing_stock_is_told_by_sku_and_location() -> None:
    anywhere = Shortfall(sku="B", requested=4, available=0)
    error = errors.InsufficientStock([short(1), anywhere])
    assert error.shortfalls == (short(1), anywhere)
    assert str(error) == (
        "not enough stock: S1 at main: 2 requested, 1 available; B: 4 requested, 0 available"
    )


@pytest.mark.parametrize(
    ("count", "end"), [(5, "5 available"), (6, " and 1 more"), (9, " and 4 more")]
)
def test_of_many_shortfalls_five_are_told_and_the_others_counted(count: int, end: str) -> None:
    said = str(errors.InsufficientStock([short(n) for n in range(1, count + 1)]))
    assert said.count("requested") == 5
    assert said.endswith(end)
