"""Waiting for a view: polled where nobody tells, and never for long or for nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from api import freshness
from api.freshness import stock_level
from api.problems import Problem
from api.services import Services
from projections.readers import StockLevel


def _level(version: int) -> StockLevel:
    return StockLevel("MUG", "main", 0, 0, 0, 0, 0, None, version, "2026-01-31T12:00:00.000000Z")


@dataclass
class FakeView:
    """Answers these versions one after the other, the last one for ever."""

    versions: list[int | None]
    asked: int = 0

    def get(self, _sku: str, _location: str) -> StockLevel | None:
        self.asked += 1
        version = self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]
        return None if version is None else _level(version)


@dataclass
class FakeStream:
    """A history whose newest event has this version."""

    version: int
    in_lanes: bool = False
    reads: list[str] = field(default_factory=list)

    @property
    def history(self) -> FakeStream:
        return self

    def position(self, stream: str) -> FakeStream:
        self.reads.append(stream)
        return self


def _services(view: FakeView, stream: FakeStream, wait: Any = None) -> Services:
    return Services(*cast(Any, (stream, view, None, None, wait, 60, None)))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(freshness, "POLL_SECONDS", 0.001)


def test_without_somebody_who_tells_the_view_is_polled() -> None:
    view = FakeView([None, None, 1, 3])
    level = stock_level(_services(view, FakeStream(3)), "MUG", "main", 2)
    assert level is not None
    assert (level.version, view.asked) == (3, 4)


@pytest.mark.parametrize("wait", [None, lambda _stream, _version, _timeout: False])
def test_patience_ends(wait: Any) -> None:
    services = _services(FakeView([1]), FakeStream(3), wait)
    with pytest.raises(Problem, match="has not reached version 2"):
        stock_level(services, "MUG", "main", 2)


def test_what_is_not_recorded_is_not_waited_for() -> None:
    view, stream = FakeView([1]), FakeStream(1)
    with pytest.raises(Problem, match="the newest is 1"):
        stock_level(_services(view, stream), "MUG", "main", 2)
    assert (view.asked, stream.reads) == (1, ["stock:MUG@main"])


def test_a_view_that_is_there_already_costs_no_strong_read() -> None:
    stream = FakeStream(9)
    assert stock_level(_services(FakeView([2]), stream), "MUG", "main", 2) == _level(2)
    assert stream.reads == []
