"""The running balance that every position event carries."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ledger.domain.errors import BalanceLimitExceeded, LawBroken
from ledger.domain.trusted import trusted
from ledger.domain.values import MAX_BALANCE, Count


class Moves(NamedTuple):
    """Signed changes of a balance, in base units."""

    on_hand: int = 0
    reserved: int = 0
    backordered: int = 0
    damaged: int = 0
    escrowed: int = 0
    """Units that came from the position's other lanes, or went to them; on hand moves along."""


class Lanes(BaseModel):
    """How a position is split. All its lanes say the same at any time: it is changed in all of
    them by one commit.

    `count` lanes take new orders, the first ones, unless they are `gathered`: then lane 0 has all
    that is free, and it alone takes orders. `streams` is how many lanes were ever used: a lane
    that is closed still holds what was reserved on it.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    count: Annotated[int, Field(strict=True, ge=1)]
    streams: Annotated[int, Field(strict=True, ge=1)]
    gathered: Annotated[bool, Field(strict=True)] = False

    @property
    def open(self) -> int:
        """How many lanes, the first ones, take new orders now."""
        return 1 if self.gathered else self.count


class Balance(BaseModel):
    """What a position holds after an event: counters in base units, and its policy.

    `on_hand` is everything physically there; `reserved` is promised to orders; `damaged` is there
    but not for sale; `backordered` is what orders are waiting for. `queue_from` is the version of
    the oldest `StockBackordered` that may still wait: a lower bound for finding the queue's head.

    Of a position that was split, this is one lane's: `lanes` says how, and `escrowed` is how many
    of the units on hand came from other lanes, less those that went there. Over all lanes it sums
    to 0, so `on_hand - escrowed` is what a lane adds to the position, wherever units were moved.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    on_hand: Count = 0
    reserved: Count = 0
    backordered: Count = 0
    damaged: Count = 0
    low_stock_threshold: Count | None = None
    queue_from: Annotated[int, Field(strict=True, ge=1)] | None = None
    lanes: Lanes | None = None
    escrowed: Annotated[int, Field(strict=True)] | None = None

    @property
    def free(self) -> int:
        """Units that are neither reserved nor damaged; the backorder queue has first call."""
        return self.on_hand - self.reserved - self.damaged

    @property
    def available(self) -> int:
        """Units a new order may reserve: free, less what the queue waits for, never below 0."""
        return max(0, self.free - self.backordered)

    @property
    def promotable(self) -> bool:
        """Whether the head of the backorder queue can be served now."""
        return self.backordered > 0 and self.free > 0

    def after(self, moves: Moves) -> Balance:
        """The balance once `moves` happened; its laws are asserted here.

        Raises
        ------
        LawBroken
            A counter would fall below 0, or more be reserved and damaged than is on hand.
        BalanceLimitExceeded
            A counter would exceed `MAX_BALANCE`.
        """
        on_hand = self.on_hand + moves.on_hand
        reserved = self.reserved + moves.reserved
        backordered = self.backordered + moves.backordered
        damaged = self.damaged + moves.damaged
        escrowed = (self.escrowed or 0) + moves.escrowed
        if reserved < 0 or backordered < 0 or damaged < 0 or reserved + damaged > on_hand:
            msg = (
                f"a balance would break its laws: {on_hand=} {reserved=} {backordered=} {damaged=}"
            )
            raise LawBroken(msg)
        if on_hand > MAX_BALANCE or backordered > MAX_BALANCE:
            counter = "on_hand" if on_hand > MAX_BALANCE else "backordered"
            raise BalanceLimitExceeded(counter, MAX_BALANCE)
        return trusted(
            Balance,
            {
                "on_hand": on_hand,
                "reserved": reserved,
                "backordered": backordered,
                "damaged": damaged,
                "low_stock_threshold": self.low_stock_threshold,
                "queue_from": self.queue_from if backordered else None,
                "lanes": self.lanes,
                "escrowed": None if self.escrowed is None and not moves.escrowed else escrowed,
            },
        )


EMPTY = Balance()
"""The balance of a position nothing has happened to."""
