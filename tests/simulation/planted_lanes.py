"""Bugs to plant in what makes several lanes one position."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from unittest.mock import patch

from ledger.domain import lanes
from ledger.domain.lanes import Offer
from ledger.service import offers, splitting
from ledger.store.dynamodb import DynamoDBLedgerRecorder


@contextmanager
def refusal_after_one_lane() -> Iterator[None]:
    """Who finds too little on one lane is refused, whatever the others have."""

    def hastily(lanes: Any, home: int, _wanted: int) -> Offer:
        split = lanes[0].balance.lanes
        return Offer(lanes[home % split.open])

    with patch.object(offers, "offer", hastily):
        yield


@contextmanager
def escrow_in_two_commits() -> Iterator[None]:
    """What goes from lane to lane is taken first, and given when that stands."""
    insert = DynamoDBLedgerRecorder.insert_events

    def one_side_first(self: DynamoDBLedgerRecorder, stored: Any, **more: Any) -> Any:
        gives = [s for s in stored if s.topic == "StockEscrowed" and b'"delta":-' in s.state]
        if gives:
            insert(self, gives)
        return insert(self, [s for s in stored if s not in gives], **more)

    with patch.object(DynamoDBLedgerRecorder, "insert_events", one_side_first):
        yield


@contextmanager
def queue_beside_open_lanes() -> Iterator[None]:
    """Somebody waits at lane 0, and the other lanes go on taking orders."""
    reshape = lanes.reshape

    def left_open(found: Any, split: Any, home: int = 0, wanted: int = 0) -> Any:
        moves = reshape(found, split, home, wanted)
        ajar = split.model_copy(update={"gathered": False})
        return [
            (
                stream,
                event.model_copy(
                    update={
                        "lanes": ajar,
                        "balance": event.balance.model_copy(update={"lanes": ajar}),
                    }
                ),
            )
            for stream, event in moves
        ]

    with patch.object(lanes, "reshape", left_open), patch.object(splitting, "reshape", left_open):
        yield


LANES: Final[Mapping[str, Callable[[], AbstractContextManager[None]]]] = {
    "refusal-after-one-lane": refusal_after_one_lane,
    "escrow-in-two-commits": escrow_in_two_commits,
    "queue-beside-open-lanes": queue_beside_open_lanes,
}
