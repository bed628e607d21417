"""What the ledger must answer, written a second time: plain dicts, one commit each, nothing lost.

The judge of the property tests, and independent on purpose: it shares no code with
`ledger.domain`. It keeps *who* holds and awaits which units and counts from that, where the
ledger keeps running balances; it knows no caches, no conflicts and no chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ledger import service as c
from tests.support import model_orders
from tests.support.model_books import Answer, Books, Refused


class _OnPosition(Protocol):
    @property
    def sku(self) -> str: ...
    @property
    def location(self) -> str: ...


@dataclass
class Model(Books):
    """Every position and order, and the answer to every key."""

    memory: dict[str, tuple[c.Command, Answer]] = field(default_factory=dict)

    def ask(
        self,
        command: c.Command,
        now: datetime,
        *,
        key: str,
        order_id: str = "",
        expected: int | None = None,
        forget: bool = False,
    ) -> Answer:
        """The answer to a command sent under a key.

        `order_id` is the id the ledger gave an order that came without; `expected` the version
        the client insists on; `forget` says that the key is not remembered.
        """
        if key in self.memory:
            first, answer = self.memory[key]
            return answer if first == command else Answer(("IdempotencyKeyReused",))
        try:
            answer = self._decide(command, now, order_id, expected)
        except Refused as refused:
            return Answer(refused.what)
        if not forget:
            self.memory[key] = (command, answer)
        return answer

    def expire(self, order_id: str, now: datetime) -> Answer:
        """See `model_orders.expire`."""
        return model_orders.expire(self, order_id, now)

    def promote(self, sku: str, location: str) -> tuple[int, Answer]:
        """See `model_orders.promote`."""
        return model_orders.promote(self, sku, location)

    def _decide(
        self, command: c.Command, now: datetime, order_id: str, expected: int | None
    ) -> Answer:
        match command:
            case c.ReceiveStock():
                for received in command.lines:
                    self.at(received.sku, received.location).on_hand += received.quantity
                return self._moved(command.lines, "StockReceived")
            case c.AdjustStock():
                return self._adjust(command)
            case c.ReturnStock():
                for back in command.lines:
                    spot = self.at(back.sku, back.location)
                    spot.on_hand += back.quantity
                    spot.damaged += back.quantity if back.disposition.value == "damaged" else 0
                return self._moved(command.lines, "StockReturned")
            case c.SetPositionPolicy():
                self._insist(f"stock:{command.sku}@{command.location}", expected)
                self.at(command.sku, command.location).threshold = command.low_stock_threshold
                return self._moved([command], "PositionPolicySet")
            case c.SetLanes():
                return Answer()  # how a position is split changes nothing of what it holds
            case c.PlaceOrder():
                return model_orders.place(self, command, command.order_id or order_id, now)
            case c.ShipOrder():
                self._find(command.order_id, expected)
                return model_orders.ship(self, command)
            case c.CancelOrder():
                self._find(command.order_id, expected)
                return model_orders.cancel(self, command)

    def _adjust(self, command: c.AdjustStock) -> Answer:
        before = {spot: stock.on_hand for spot, stock in self.stock.items()}
        for line in command.lines:
            free = self.free(line.sku, line.location)
            if -line.delta > free:
                for spot, stock in self.stock.items():
                    stock.on_hand = before.get(spot, 0)
                short = (line.sku, line.location, -line.delta, free)
                raise Refused("InsufficientStock", short)
            self.at(line.sku, line.location).on_hand += line.delta
        return self._moved(command.lines, "StockAdjusted")

    def _moved(self, lines: Sequence[_OnPosition], kind: str) -> Answer:
        written = []
        for line in lines:
            written += self.write(f"stock:{line.sku}@{line.location}", kind)
        return Answer(written=written)

    def _find(self, order_id: str, expected: int | None) -> None:
        if order_id not in self.orders:
            raise Refused("OrderNotFound", order_id)
        self._insist(f"order:{order_id}", expected)

    def _insist(self, stream: str, expected: int | None) -> None:
        if expected is not None and expected != self.versions[stream]:
            raise Refused("VersionMismatch", stream, expected, self.versions[stream])
