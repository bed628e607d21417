"""The laws that hold after every commit, and answers in the plain values the model speaks."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from ledger.codec import Recorded, decode
from ledger.domain import errors
from ledger.domain.laws import Laws
from ledger.domain.order import Order
from ledger.errors import IdempotencyKeyReused
from ledger.service.clock import parse_instant
from ledger.store.base import LedgerRecorder
from tests.support.model_books import FATES, BalanceTold

_HASH = re.compile(rb',"hash":"([0-9a-f]{64})"(?=}$)')


class Auditor:
    """Takes every commit as it is heard of and judges it as it is stored.

    Seals are recomputed here from their description, not with the ledger's own code.
    """

    def __init__(self, recorder: LedgerRecorder) -> None:
        self._recorder = recorder
        self._read = 0
        self._tails: dict[str, tuple[str, str]] = {}
        self.laws = Laws()
        self.versions: Counter[str] = Counter()
        self.heard: list[Recorded] = []

    def take(self, commit: tuple[Recorded, ...]) -> None:
        """Judge a commit that now stands, and the whole of what stands with it."""
        assert {(r.command, r.size) for r in commit} == {(commit[0].command, len(commit))}
        for recorded in commit:
            self._take(recorded)
        assert list(self.laws.conclude()) == []
        self.heard += commit

    def catch_up(self) -> None:
        """Judge, commit by commit, what was recorded since the last call, heard of or not."""
        news = self._recorder.select_notifications(self._read, 10_000, inclusive_of_start=False)
        recorded = [decode(notification) for notification in news]
        for _, commit in groupby(recorded, key=lambda r: r.command):
            self.take(tuple(commit))
        self._read = news[-1].id if news else self._read

    def _take(self, recorded: Recorded) -> None:
        stream, version = recorded.stream, recorded.version
        (stored,) = self._recorder.select_events(stream, gt=version - 1, lte=version)
        envelope = json.loads(stored.state)
        prev, at = self._tails.get(stream, ("", ""))
        assert version == self.versions[stream] + 1, "versions have no gaps"
        assert envelope["prev"] == prev, "the chain goes on"
        assert envelope["at"] > at, "time goes on within a stream"
        assert envelope["hash"] == _seal(stream, version, stored.state)
        again = decode(stored)
        assert (again, again.data) == (recorded, recorded.data), "what was told is what stands"
        self.laws.see(stream, again.event)
        self.versions[stream] = version
        self._tails[stream] = (envelope["hash"], envelope["at"])

    def fresh(self) -> list[Recorded]:
        """Events heard of since the last call."""
        fresh, self.heard = self.heard, []
        return fresh

    def balances(self) -> dict[str, BalanceTold]:
        """The balances of all positions."""
        return {
            stream: (b.on_hand, b.reserved, b.backordered, b.damaged, b.low_stock_threshold)
            for stream, b in self.laws.balances.items()
        }


def _seal(stream: str, version: int, state: bytes) -> str:
    body = _HASH.sub(b"", state)
    return hashlib.sha256(f"{stream}\n{version}\n".encode() + body).hexdigest()


def written(events: Sequence[Recorded]) -> list[tuple[str, int, str]]:
    """Events as the model names them."""
    return [(recorded.stream, recorded.version, recorded.type) for recorded in events]


def snapshot(order: Order | None) -> dict[str, Any] | None:
    """An order as the model tells of it (`Books.snapshot`)."""
    if order is None:
        return None
    short = [(s.sku, s.location, s.requested, s.available) for s in order.shortfalls]
    return {
        "order_id": order.order_id,
        "policy": order.policy.value,
        "customer": order.customer,
        "expires_at": parse_instant(order.expires_at) if order.expires_at else None,
        "status": order.status.value,
        "shortfalls": sorted(short, key=repr),
        "lines": {
            number: {
                "asked": (line.sku, line.quantity, line.location),
                "reserved": {at: p.reserved for at, p in line.places.items() if p.reserved},
                "backordered": {
                    at: p.backordered for at, p in line.places.items() if p.backordered
                },
                "shipped": {at: p.shipped for at, p in line.places.items() if p.shipped},
                **{fate: getattr(line, fate) for fate in FATES},
            }
            for number, line in order.lines.items()
        },
    }


def refusal(error: Exception) -> tuple[object, ...]:
    """A refusal as the model names it (`Refused.what`)."""
    name = type(error).__name__
    match error:
        case errors.InsufficientStock():
            return name, *((s.sku, s.location, s.requested, s.available) for s in error.shortfalls)
        case errors.OrderExists() | errors.OrderNotFound():
            return name, error.order_id
        case errors.OrderNotOpen():
            return name, error.status
        case errors.LineNotFound():
            return name, error.line, error.index
        case errors.LineExceeded():
            return name, error.line, error.index, error.wanted, error.has
        case errors.VersionMismatch():
            return name, error.stream, error.expected, error.actual
        case IdempotencyKeyReused():
            return (name,)
        case _:
            raise error
