"""The rate limit, on a clock that the test moves."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.limits import Quota, RateLimit


class Clock:
    """Stands in for `time.time`, which the library reads."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.mark.parametrize("into_the_window", [0.0, 0.1, 13.37, 30.0, 59.95])
def test_a_client_has_so_many_and_no_more(clock: Clock, into_the_window: float) -> None:
    limit = RateLimit("5/minute")
    clock.now += into_the_window
    taken = [limit.take("alice") for _ in range(8)]
    assert [quota.allowed for quota in taken] == [True] * 5 + [False] * 3
    assert [quota.remaining for quota in taken] == [4, 3, 2, 1, 0, 0, 0, 0]
    assert limit.take("bob").allowed, "each client has its own"
    clock.now += taken[-1].reset + 0.01
    assert limit.take("alice").allowed, "what it was told was true"


def test_the_window_slides(clock: Clock) -> None:
    limit = RateLimit("60/minute")
    clock.now += 30
    assert all(limit.take("alice").allowed for _ in range(60))
    clock.now += 30  # a new minute by the clock, but not since the requests
    allowed = sum(limit.take("alice").allowed for _ in range(60))
    assert allowed <= 1
    clock.now += 30
    allowed = sum(limit.take("alice").allowed for _ in range(60))
    assert 25 <= allowed <= 35
    clock.now += 120
    assert all(limit.take("alice").allowed for _ in range(60))


def test_clients_are_forgotten(clock: Clock) -> None:
    limit = RateLimit("5/second")
    for n in range(500):
        limit.take(f"address:{n}")
    clock.now += 10
    storage = limit._limiter.storage
    deadline = time.monotonic() + 20
    while len(storage.expirations) > 1 and time.monotonic() < deadline:  # type: ignore[attr-defined]
        limit.take("bob")
        time.sleep(0.02)
    assert len(storage.expirations) == 1  # type: ignore[attr-defined]


def test_it_is_told_in_headers() -> None:
    left = Quota(True, 600, 60, 599, 12)
    policy = {"RateLimit-Policy": '"default";q=600;w=60'}
    assert left.headers == {**policy, "RateLimit": '"default";r=599;t=12'}
    none = Quota(False, 600, 60, 0, 7)
    assert none.headers == {**policy, "RateLimit": '"default";r=0;t=7', "Retry-After": "7"}


@given(steps=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 30)), max_size=30))
def test_no_window_of_the_clock_holds_more_than_the_limit(steps: list[tuple[int, int]]) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", clock)
        limit = RateLimit("10/second")
        accepted: dict[int, int] = {}
        for tenths, requests in steps:
            clock.now += tenths / 10
            for _ in range(requests):
                if limit.take("alice").allowed:
                    window = int(clock.now)
                    accepted[window] = accepted.get(window, 0) + 1
    assert all(count <= 10 for count in accepted.values())
