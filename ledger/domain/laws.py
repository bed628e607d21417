"""The laws of the ledger, checked over history: in each stream, and across streams.

Numbers are those of the domain research: balances follow from the events (1), every counter is at
least 0 and nothing is promised twice (2, asserted by `Balance.after`), `reserved` is the sum of the
orders' open reservations (3), every reserved unit has one fate (4) and so has every ordered unit
(5, both asserted by the fold of an order).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ledger.domain import folding
from ledger.domain.balance import EMPTY, Balance
from ledger.domain.errors import BalanceLimitExceeded, LawBroken
from ledger.domain.events import Event, OrderEvent, PositionEvent, StockShipped
from ledger.domain.order import Order
from ledger.domain.position import balance_follows
from ledger.domain.streams import is_order, is_stock, parse_order


@dataclass(slots=True)
class Laws:
    """Judges events as they are read, each stream in order; `conclude` judges the whole.

    It remembers a balance per position and the open orders: memory follows the number of streams,
    not of events.
    """

    balances: dict[str, Balance] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    _shipped: Counter[str] = field(default_factory=Counter)
    _ordered_out: Counter[str] = field(default_factory=Counter)

    def see(self, stream: str, event: Event) -> None:
        """Take the next event of a stream.

        Raises
        ------
        LawBroken
            It contradicts what came before it in its stream.
        """
        if is_stock(stream) and isinstance(event, PositionEvent):
            self._see_movement(stream, event)
        elif is_order(stream) and isinstance(event, OrderEvent):
            self._see_order(stream, event)
        else:
            msg = f"{stream} can't hold a {type(event).__name__}"
            raise LawBroken(msg)

    def _see_movement(self, stream: str, event: PositionEvent) -> None:
        before = self.balances.get(stream, EMPTY)
        self.balances[stream] = event.balance
        if isinstance(event, StockShipped):
            self._shipped[stream] += event.quantity
        try:
            follows = balance_follows(before, event)
        except BalanceLimitExceeded as error:
            raise LawBroken(str(error)) from error
        if not follows:
            msg = f"the balance after {event.name} does not follow from the one before"
            raise LawBroken(msg)

    def _see_order(self, stream: str, event: OrderEvent) -> None:
        order = self.orders.get(stream) or Order(parse_order(stream))
        order = folding.apply(order, event)
        if order.task is None and not order.totals.open:
            self.orders.pop(stream, None)
            for position, _, _, shipped in order.holdings():
                self._ordered_out[position] += shipped
        else:
            self.orders[stream] = order

    def conclude(self) -> Iterator[tuple[str, str]]:
        """Judge what only the whole shows; yields (stream, what is wrong)."""
        reserved: Counter[str] = Counter()
        backordered: Counter[str] = Counter()
        shipped = Counter(self._ordered_out)
        for order in self.orders.values():
            for position, held, waiting, out in order.holdings():
                reserved[position] += held
                backordered[position] += waiting
                shipped[position] += out
        for stream in sorted({*self.balances, *reserved, *backordered, *shipped}):
            balance = self.balances.get(stream, EMPTY)
            for what, counted, promised in (
                ("reserved", balance.reserved, reserved[stream]),
                ("backordered", balance.backordered, backordered[stream]),
                ("shipped", self._shipped[stream], shipped[stream]),
            ):
                if counted != promised:
                    yield stream, f"{what} is {counted}, but the orders' lines say {promised}"
