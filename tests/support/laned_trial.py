"""The trial of a ledger whose positions are in lanes, before the judge that knows of none.

The model keeps whole positions. So what it is asked is the promise itself: whatever lanes there
are, clients are answered as if there were none, and all lanes hold what a position would hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ledger.codec import Recorded
from ledger.domain.streams import is_order, position_of
from ledger.service import Command, Context, SetLanes, SetPositionPolicy
from tests.support.auditing import written
from tests.support.model_books import Answer
from tests.support.trial import Sent, Trial

MOVED_NOTHING = (0, 0, 0, 0, None)


class LanedTrial(Trial):
    """Compares orders event by event, and positions by what all their lanes hold."""

    def address(self, wish: Command, back: int, insist: str | None, ttl: int | None) -> Sent:
        """As ever, but nobody insists on the version of a position: the model has another."""
        if isinstance(wish, SetPositionPolicy):
            insist = None
        return super().address(wish, back, insist, ttl)

    def split(self, command: SetLanes, by: int) -> None:
        """Split a position, of which the model is not told."""
        self.ledgers[by].handle(command, Context("operator"))
        self.faults.calm()
        self.auditor.fresh()

    def compare_events(self, events: Sequence[Recorded], answer: Answer) -> None:
        """The order's events are the model's; those of its positions may be on any lane."""
        orders = [event for event in events if is_order(event.stream)]
        assert written(orders) == [told for told in answer.written if is_order(told[0])]
        moved = {position_of(e.stream) for e in events if not is_order(e.stream)}
        assert moved >= {told[0] for told in answer.written if not is_order(told[0])}

    def compare_positions(self) -> None:
        """Over all its lanes each position is as the model has it.

        Where nothing is left lane 0 knows: what is told of the position is told by its events.
        """
        assert self._whole() == {s: b for s, b in self._wanted().items() if b != MOVED_NOTHING}
        balances = self.auditor.laws.balances
        free: Counter[str] = Counter()
        for stream, balance in balances.items():
            free[position_of(stream)] += balance.free
        empty = [balances[stream].lanes for stream, units in free.items() if not units]
        assert all(split is None or split.open == 1 for split in empty)

    def compare_length(self, events: int) -> None:
        """The model doesn't know the events of lanes."""
        assert events >= sum(
            count for stream, count in self.model.versions.items() if is_order(stream)
        )

    def _wanted(self) -> dict[str, tuple[int, int, int, int, int | None]]:
        return dict(self.model.balances())

    def _whole(self) -> dict[str, tuple[int, int, int, int, int | None]]:
        sums: dict[str, Counter[str]] = {}
        thresholds: dict[str, int | None] = {}
        for stream, balance in self.auditor.laws.balances.items():
            position = sums.setdefault(position_of(stream), Counter())
            position.update(
                on_hand=balance.on_hand,
                reserved=balance.reserved,
                backordered=balance.backordered,
                damaged=balance.damaged,
            )
            if stream == position_of(stream):
                thresholds[stream] = balance.low_stock_threshold
        whole = {
            s: (n["on_hand"], n["reserved"], n["backordered"], n["damaged"], thresholds[s])
            for s, n in sums.items()
        }
        return {s: told for s, told in whole.items() if told != MOVED_NOTHING}
