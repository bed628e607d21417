import pytest

from ledger.domain.values import Money
from ledger.importing.stock_csv import OpeningBalance, Problem, read_balance
from ledger.importing.table import Fields


def read(sku: str, location: str, quantity: str, **more: str) -> OpeningBalance | Problem:
    return read_balance(Fields(2, {"sku": sku, "location": location, "quantity": quantity, **more}))


def test_a_whole_row() -> None:
    more = {"unit_cost": "255", "currency": "GBP", "reference": "count"}

    assert read("A", "main", "12", **more) == OpeningBalance(
        2, "A", "main", 12, Money(amount=255, currency="GBP"), "count"
    )


def test_cost_and_reference_may_be_left_out() -> None:
    assert read("A", "main", "0") == OpeningBalance(2, "A", "main", 0, None, "opening balance")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sku": "A B"}, "sku 'A B'"),
        ({"location": ""}, "location ''"),
        ({"quantity": "-1"}, "quantity '-1'"),
        ({"quantity": "1000000001"}, "no integer from 0 to"),
        ({"unit_cost": "2.55", "currency": "GBP"}, "in minor units, as 255 for GBP 2.55"),
        ({"unit_cost": "9" * 16, "currency": "GBP"}, "no integer of at most 15 digits"),
        ({"unit_cost": "255"}, "needs a currency"),
        ({"unit_cost": "255", "currency": "gbp"}, "needs a currency"),
        ({"reference": "a\nb"}, "reference is longer"),
    ],
)
def test_an_unreadable_row_says_why(changes: dict[str, str], why: str) -> None:
    found = read(**{"sku": "A", "location": "main", "quantity": "1", **changes})

    assert isinstance(found, Problem)
    assert why in found.why
    assert found.position == ("" if {"sku", "location"} & changes.keys() else "stock:A@main")
