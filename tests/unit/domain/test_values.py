"""Value types: what is taken, what is refused, up to the last unit."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ledger.domain import values as v
from ledger.domain.events.base import Version


def taken(kind: Any, value: object) -> bool:
    """Whether the value is of the type."""
    try:
        return bool(TypeAdapter(kind).validate_python(value) is not None)
    except ValidationError:
        return False


def test_limits_are_what_clients_were_told() -> None:
    assert v.MAX_ID_LENGTH == 64
    assert v.MAX_TEXT_LENGTH == 256
    assert v.MAX_QUANTITY == 10**9
    assert v.MAX_BALANCE == v.MAX_MONEY == 9_007_199_254_740_991


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        (v.Quantity, 1, v.MAX_QUANTITY),
        (v.Units, 1, v.MAX_BALANCE),
        (v.Delta, -v.MAX_QUANTITY, v.MAX_QUANTITY),
        (v.SignedUnits, -v.MAX_BALANCE, v.MAX_BALANCE),
        (v.Count, 0, v.MAX_BALANCE),
        (v.LineNumber, 1, None),
        (Version, 1, None),
    ],
)
def test_a_number_is_an_integer_within_its_bounds_and_nothing_that_looks_like_one(
    kind: Any, least: int, most: int | None
) -> None:
    assert taken(kind, least)
    assert not taken(kind, least - 1)
    if most is None:
        assert taken(kind, 2**70)
    else:
        assert taken(kind, most)
        assert not taken(kind, most + 1)
    for lookalike in (True, 3.0, "3", b"3", None):
        assert not taken(kind, lookalike)


@pytest.mark.parametrize("good", ["a", "7", "A.b_c+d-e", "x" * 64])
def test_an_id_starts_with_a_letter_or_digit(good: str) -> None:
    assert taken(v.Id, good)


@pytest.mark.parametrize(
    "bad", ["", "a b", "a@b", "a:b", "a#b", "a/b", ".a", "é", "a\n", "x" * 65, b"a", 1]
)
def test_ids_exclude_what_stream_ids_are_built_with(bad: object) -> None:
    assert not taken(v.Id, bad)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("x", True),
        ("Jane Doe, 5 o'clock: é", True),
        ("x" * 256, True),
        ("x" * 257, False),
        ("", False),
        ("a\nb", False),
        ("a\x7f", False),
        (b"x", False),
        (7, False),
    ],
)
def test_texts_are_short_and_without_control_characters(text: object, good: bool) -> None:
    assert taken(v.Text, text) is good


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ("GBP", True),
        ("gbp", False),
        ("GB", False),
        ("GBPP", False),
        ("GBP\n", False),
        (b"GBP", False),
    ],
)
def test_a_currency_is_three_capital_letters(code: object, good: bool) -> None:
    assert taken(v.Currency, code) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-01-01T00:00:00.000000Z", True),
        ("2026-01-01T00:00:00Z", False),
        ("2026-01-01T00:00:00.000000+00:00", False),
        ("2026-01-01T00:00:00.000000Z\n", False),
    ],
)
def test_an_instant_is_utc_in_microseconds(text: str, good: bool) -> None:
    assert taken(v.Instant, text) is good


@pytest.mark.parametrize(
    ("amount", "good"),
    [(0, True), (v.MAX_MONEY, True), (v.MAX_MONEY + 1, False), (-1, False), (1.0, False)],
)
def test_money_is_a_whole_amount_of_a_currency(amount: object, good: bool) -> None:
    assert taken(v.Money, {"amount": amount, "currency": "GBP"}) is good


def test_money_does_not_change() -> None:
    money = v.Money(amount=250, currency="GBP")
    for name in ("amount", "currency"):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(money, name, 2)
    assert hash(money) == hash(v.Money(amount=250, currency="GBP"))
