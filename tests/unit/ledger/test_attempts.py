"""How patiently contended commands are tried again."""

from __future__ import annotations

import math

import pytest

from ledger.service.attempts import Retry


def test_nobody_pauses_before_the_second_try() -> None:
    assert Retry().pause(0) == 0.0


def test_pauses_grow_up_to_the_cap() -> None:
    retry = Retry(base=0.005, cap=0.25)
    longest = [max(retry.pause(level) for _ in range(1000)) for level in (1, 2, retry.top, 50)]
    assert longest == pytest.approx([0.01, 0.02, 0.25, 0.25], rel=0.05)
    assert retry.top == 6


def test_a_cap_as_short_as_the_base_still_is_a_pause() -> None:
    retry = Retry(base=0.1, cap=0.1)
    assert 0 < retry.pause(retry.top) <= 0.1


def test_no_attempt_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="attempts is 0; there has to be at least 1"):
        Retry(attempts=0)


@pytest.mark.parametrize(
    ("base", "cap"),
    [(0.0, 0.25), (-1.0, 0.25), (0.25, 0.1), (math.nan, 1.0), (1.0, math.nan), (1.0, math.inf)],
)
def test_pauses_that_cannot_be_are_refused(base: float, cap: float) -> None:
    with pytest.raises(ValueError, match=rf"base is {base} s and cap {cap} s; base has to be"):
        Retry(base=base, cap=cap)
