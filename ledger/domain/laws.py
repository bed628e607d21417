"""The laws of the ledger, checked over history: in each stream, and across streams.

Numbers are those of the domain research: balances follow from the events (1), every counter is at
least 0 and nothing is promised twice (2, asserted by `Balance.after`), `reserved` is the sum of the
orders' open reservations (3), every reserved unit has one fate (4) and so has every ordered unit
(5, both asserted by the fold of an order).

Of a position in lanes each lane is judged like a position, and all of them together: what one
escrows another has, all say the same of how the position is split, nothing free is on a closed
lane, and nobody waits unless lane 0 alone is open.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ledger.domain import folding
from ledger.domain.balance import EMPTY, Balance
from ledger.domain.errors import BalanceLimitExceeded, LawBroken
from ledger.domain.events import Event, OrderEvent, PositionEvent, StockShipped
from ledger.domain.order import Order
from ledger.domain.position import balance_follows
from ledger.domain.streams import (
    is_order,
    is_stock,
    lane_of,
    lane_stream,
    parse_order,
    parse_stock,
    position_of,
)


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
            It contradicts what came before it in its stream, or the stream is none of ours.
        """
        try:
            if is_stock(stream) and isinstance(event, PositionEvent):
                self._see_movement(stream, event)
            elif is_order(stream) and isinstance(event, OrderEvent):
                self._see_order(stream, event)
            else:
                msg = f"{stream} can't hold a {type(event).__name__}"
                raise LawBroken(msg)
        except (BalanceLimitExceeded, ValueError) as error:
            raise LawBroken(str(error)) from error

    def _see_movement(self, stream: str, event: PositionEvent) -> None:
        if stream not in self.balances:
            parse_stock(stream)
        before = self.balances.get(stream, EMPTY)
        self.balances[stream] = event.balance
        if isinstance(event, StockShipped):
            self._shipped[stream] += event.quantity
        if not balance_follows(before, event):
            msg = f"the balance after {event.name} does not follow from the one before"
            raise LawBroken(msg)
        _check_lane(lane_of(stream), event.balance)

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
        yield from self._conclude_lanes()

    def _conclude_lanes(self) -> Iterator[tuple[str, str]]:
        """Judge the lanes of each position together."""
        positions: defaultdict[str, dict[str, Balance]] = defaultdict(dict)
        for stream, balance in self.balances.items():
            if balance.lanes is not None or lane_of(stream):
                positions[position_of(stream)][stream] = balance
        for position, lanes in sorted(positions.items()):
            escrowed = sum(balance.escrowed or 0 for balance in lanes.values())
            if escrowed:
                yield position, f"its lanes hold {escrowed} units more than came to the position"
            split = next(iter(lanes.values())).lanes
            if (
                split is None
                or any(balance.lanes != split for balance in lanes.values())
                or lanes.keys() != {lane_stream(position, n) for n in range(split.streams)}
            ):
                yield position, "its lanes don't agree on how it is split"


def _check_lane(lane: int, balance: Balance) -> None:
    """Judge one lane by itself."""
    split = balance.lanes
    if split is None:
        if lane or balance.escrowed:
            msg = "a lane of a position that is not split"
            raise LawBroken(msg)
        return
    if lane >= split.open and balance.free:
        msg = f"{balance.free} units are free on a closed lane"
        raise LawBroken(msg)
    if balance.backordered and (lane or split.open > 1):
        msg = f"{balance.backordered} units are waited for while several lanes take orders"
        raise LawBroken(msg)
