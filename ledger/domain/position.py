"""A position: the stock of one SKU at one location, and what may happen to it.

Every method decides one movement and answers the event that records it; `after` applies it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ledger.domain import events as e
from ledger.domain.balance import EMPTY, Balance, Lanes, Moves
from ledger.domain.errors import InsufficientStock, LawBroken
from ledger.domain.streams import lane_of, parse_stock, stock_stream

if TYPE_CHECKING:
    from ledger.domain.values import Disposition, Money

P = TypeVar("P", bound=e.PositionEvent)


class Position(NamedTuple):
    """State of a position, or of one lane of it: the newest event's balance and version.

    Version 0: nothing happened yet.
    """

    sku: str
    location: str
    version: int = 0
    balance: Balance = EMPTY
    lane: int = 0

    @classmethod
    def of(cls, stream: str, version: int, balance: Balance) -> Position:
        """The position of a stream id."""
        sku, location, lane = _named(stream)
        return cls(sku, location, version, balance, lane)

    @property
    def stream(self) -> str:
        """The stream id of the position, or of the lane."""
        return stock_stream(self.sku, self.location, self.lane)

    @property
    def closed(self) -> bool:
        """Whether this is a lane that takes no orders: nothing free may stay on it."""
        lanes = self.balance.lanes
        return lanes is not None and self.lane >= lanes.open

    def after(self, event: e.PositionEvent) -> Position:
        """The position once `event` is recorded."""
        return self._replace(version=self.version + 1, balance=event.balance)

    def receive(
        self, quantity: int, *, cost: Money | None = None, reference: str | None = None
    ) -> e.StockReceived:
        """Goods come in."""
        return self._record(e.StockReceived, quantity=quantity, cost=cost, reference=reference)

    def adjust(self, delta: int, *, reason: str, reference: str | None = None) -> e.StockAdjusted:
        """The books follow what is really there; what is reserved or damaged can't be taken.

        Raises
        ------
        InsufficientStock
            `delta` takes more than is free.
        """
        if -delta > self.balance.free:
            raise InsufficientStock([self._shortfall(-delta, self.balance.free)])
        return self._record(e.StockAdjusted, delta=delta, reason=reason, reference=reference)

    def return_(
        self,
        quantity: int,
        *,
        disposition: Disposition,
        order_id: str | None = None,
        reference: str | None = None,
    ) -> e.StockReturned:
        """Goods come back."""
        return self._record(
            e.StockReturned,
            quantity=quantity,
            disposition=disposition,
            order_id=order_id,
            reference=reference,
        )

    def set_policy(self, *, low_stock_threshold: int | None) -> e.PositionPolicySet:
        """Change the policy; None means no threshold."""
        balance = self.balance.model_copy(update={"low_stock_threshold": low_stock_threshold})
        return e.PositionPolicySet(low_stock_threshold=low_stock_threshold, balance=balance)

    def allocate(
        self, order_id: str, *, reserved: int, backordered: int = 0
    ) -> e.StockReserved | e.StockBackordered:
        """Promise `reserved` units to an order and queue it for `backordered` more.

        Raises
        ------
        InsufficientStock
            `reserved` exceeds what is available (what the queue waits for is not).
        """
        if reserved > self.balance.available:
            raise InsufficientStock([self._shortfall(reserved, self.balance.available)])
        if not backordered:
            return self._record(e.StockReserved, order_id=order_id, quantity=reserved)
        queue_from = self.balance.queue_from or self.version + 1
        return self._record(
            e.StockBackordered,
            queue_from=queue_from,
            order_id=order_id,
            quantity=backordered,
            reserved=reserved,
        )

    def promote(
        self, order_id: str, quantity: int, *, entry: int, waiting: int
    ) -> e.BackorderPromoted:
        """Reserve free units for the head of the queue, whose entry waits for `waiting` units."""
        if quantity > min(self.balance.free, waiting):
            msg = f"{self.stream}: promoting {quantity} of {waiting}, {self.balance.free} free"
            raise LawBroken(msg)
        queue_from = entry + 1 if quantity == waiting else entry
        return self._record(
            e.BackorderPromoted,
            queue_from=queue_from,
            order_id=order_id,
            quantity=quantity,
            entry=entry,
        )

    def release(self, order_id: str, quantity: int, backordered: int = 0) -> e.ReservationReleased:
        """An order gives back what it held and leaves the queue."""
        return self._give_back(e.ReservationReleased, order_id, quantity, backordered)

    def expire(self, order_id: str, quantity: int, backordered: int = 0) -> e.ReservationReleased:
        """An order's time to live ended."""
        return self._give_back(e.ReservationExpired, order_id, quantity, backordered)

    def ship(self, order_id: str, quantity: int) -> e.StockShipped:
        """Reserved units leave."""
        return self._record(e.StockShipped, order_id=order_id, quantity=quantity)

    def escrow(self, delta: int) -> e.StockEscrowed:
        """Free units come from other lanes, or (below 0) go there."""
        return self._record(e.StockEscrowed, delta=delta)

    def set_lanes(self, lanes: Lanes, delta: int) -> e.PositionLanesSet:
        """The position is split another way, which brings this lane `delta` units."""
        event = self._record(e.PositionLanesSet, delta=delta, lanes=lanes)
        escrowed = (self.balance.escrowed or 0) + delta
        update = {"lanes": lanes, "escrowed": escrowed}
        return event.model_copy(update={"balance": event.balance.model_copy(update=update)})

    def _give_back(
        self, kind: type[e.ReservationReleased], order_id: str, quantity: int, backordered: int
    ) -> e.ReservationReleased:
        escrowed = quantity if self.closed and quantity else None
        return self._record(
            kind, order_id=order_id, quantity=quantity, backordered=backordered, escrowed=escrowed
        )

    def _record(self, kind: type[P], *, queue_from: int | None = None, **fields: Any) -> P:
        balance = self.balance.after(kind.moves(fields))
        if queue_from is not None and balance.backordered:
            balance = balance.model_copy(update={"queue_from": queue_from})
        fields["balance"] = balance
        # What `kind(**fields)` does, without the call of it.
        event: P = kind.__pydantic_validator__.validate_python(fields)
        return event

    def _shortfall(self, requested: int, available: int) -> e.Shortfall:
        return e.Shortfall(
            sku=self.sku, location=self.location, requested=requested, available=available
        )


@lru_cache(maxsize=4096)
def _named(stream: str) -> tuple[str, str, int]:
    """SKU, location and lane of a stream id: positions that move often are asked for often."""
    sku, location = parse_stock(stream)
    return sku, location, lane_of(stream)


def balance_follows(before: Balance, event: e.PositionEvent) -> bool:
    """Whether the event's balance is the balance before it, moved by the event."""
    expected = before.after(event.moves(event.__dict__))
    policy = before.low_stock_threshold
    if isinstance(event, e.PositionPolicySet):
        policy = event.low_stock_threshold
    lanes = event.lanes if isinstance(event, e.PositionLanesSet) else before.lanes
    got = event.balance
    return (
        Moves(expected.on_hand, expected.reserved, expected.backordered, expected.damaged)
        == Moves(got.on_hand, got.reserved, got.backordered, got.damaged)
        and (expected.escrowed or 0) == (got.escrowed or 0)
        and got.lanes == lanes
        and got.low_stock_threshold == policy
        and (got.queue_from is not None) == (got.backordered > 0)
    )
