"""Cursors say where a page starts, and can't be made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.paging import Cursors, decimal, truth
from api.problems import Problem

CURSORS = Cursors(b"0123456789abcdef")
FILTERS = {"sku": "MUG", "below": None}
KEY = st.lists(st.text() | st.integers(-(2**53), 2**53), min_size=1, max_size=3)


@given(key=KEY)
def test_what_is_sealed_opens_again(key: list[str | int]) -> None:
    cursor = CURSORS.seal("stock", FILTERS, key)
    assert CURSORS.open("stock", FILTERS, cursor) == key
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_no_cursor_is_the_beginning() -> None:
    assert CURSORS.open("stock", FILTERS, None) is None


@given(noise=st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_what_was_not_sealed_does_not_open(noise: str) -> None:
    with pytest.raises(Problem, match="not a cursor"):
        CURSORS.open("stock", FILTERS, noise)


def test_a_cursor_holds_for_its_list_filters_and_secret_only() -> None:
    cursor = CURSORS.seal("stock", FILTERS, ["MUG", "main"])
    assert CURSORS.open("stock", {"below": None, "sku": "MUG"}, cursor) == ["MUG", "main"]
    for other, listing, filters in (
        (CURSORS, "orders", FILTERS),
        (CURSORS, "stock", {**FILTERS, "sku": "CUP"}),
        (Cursors(b"another secret!!"), "stock", FILTERS),
    ):
        with pytest.raises(Problem, match="not a cursor"):
            other.open(listing, filters, cursor)


@given(data=st.data())
def test_no_bit_of_a_cursor_may_change(data: st.DataObject) -> None:
    cursor = CURSORS.seal("stock", FILTERS, ["MUG", "main"])
    place = data.draw(st.integers(0, len(cursor) - 2))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != cursor[place]))
    with pytest.raises(Problem, match="not a cursor"):
        CURSORS.open("stock", FILTERS, cursor[:place] + other + cursor[place + 1 :])


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Cursors(b"short")


@pytest.mark.parametrize("text", ["1_0", "+1", " 1", "1.0", "1e3", "", "-", "٣", "1" * 21, "0x1"])
def test_integers_are_plain_digits(text: str) -> None:
    with pytest.raises(ValueError, match="plain digits"):
        decimal(text)


def test_plain_digits_and_words_are_read() -> None:
    assert (decimal("-12"), decimal("007"), decimal(5)) == (-12, 7, 5)
    assert (truth("true"), truth("false"), truth(False)) == (True, False, False)
    with pytest.raises(ValueError, match="true or false"):
        truth("on")
