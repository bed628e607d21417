"""What clients want: random commands of a shop so small that they collide all the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from ledger.domain.values import Disposition, OrderPolicy
from ledger.service import (
    AdjustmentLine,
    AdjustStock,
    CancelOrder,
    Command,
    LineWanted,
    OrderRequestLine,
    PlaceOrder,
    ReceiptLine,
    ReceiveStock,
    ReturnLine,
    ReturnStock,
    SetPositionPolicy,
    ShipOrder,
)

SKUS: Final = ("A", "B", "C")
CANDIDATES: Final = ("east", "west")
"""Locations that serve lines naming none."""
LOCATIONS: Final = (*CANDIDATES, "shop")
NAMED: Final = tuple(f"o{n}" for n in range(1, 9))
"""Order ids that clients choose, not knowing of each other."""

KINDS: Final = {
    "receive": 5, "adjust": 2, "return": 2, "policy": 1, "place": 8, "ship": 4, "cancel": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Taste:
    """How one seed's clients are: what they do most, and how much they want."""

    weights: tuple[float, ...]
    units: int
    lines: int
    skus: int
    locations: int

    @classmethod
    def drawn(cls, chance: Random) -> Taste:
        """One seed's taste."""
        weights = tuple(weight * chance.uniform(0.3, 2) for weight in KINDS.values())
        return cls(
            weights, chance.choice((2, 4, 9)), chance.choice((1, 3, 6)), chance.randint(1, 3),
            chance.randint(1, 3),
        )  # fmt: skip


def wish(chance: Random, taste: Taste, orders: Sequence[str]) -> Command:
    """A command; `orders` are those one may ship or cancel."""
    kind = chance.choices(list(KINDS), taste.weights)[0]
    order_id = chance.choice((*orders[-6:], chance.choice(NAMED)))
    sku, location = _sku(chance, taste), _location(chance, taste)
    count = chance.randint(1, taste.lines)
    units = chance.randint(1, taste.units)
    match kind:
        case "receive":
            places = [(_sku(chance, taste), _location(chance, taste)) for _ in range(count)]
            return ReceiveStock(
                tuple(ReceiptLine(s, at, chance.randint(1, 2 * taste.units)) for s, at in places)
            )
        case "adjust":
            delta = chance.choice((-units, -units, 1))
            return AdjustStock((AdjustmentLine(sku, location, delta, "counted"),))
        case "return":
            fate = chance.choice(tuple(Disposition))
            return ReturnStock((ReturnLine(sku, location, units, fate),))
        case "policy":
            return SetPositionPolicy(sku, location, chance.choice((None, 1, 3, 5)))
        case "ship":
            some = tuple(LineWanted(n, 1) for n in range(1, count + 1))
            return ShipOrder(order_id, chance.choice((None, None, some)))
        case "cancel":
            return CancelOrder(order_id, chance.choice((None, None, (1,))))
    return PlaceOrder(
        tuple(_order_line(chance, taste) for _ in range(count)),
        chance.choice((None, None, chance.choice(NAMED))),
        chance.choice((None, "ann", "bob")),
        chance.choice(tuple(OrderPolicy)),
        chance.choice((None, 2, 20, 3_600)),
    )


def _order_line(chance: Random, taste: Taste) -> OrderRequestLine:
    location = chance.choice((None, _location(chance, taste)))
    return OrderRequestLine(_sku(chance, taste), chance.randint(1, taste.units), location)


def _sku(chance: Random, taste: Taste) -> str:
    return chance.choice(SKUS[: taste.skus])


def _location(chance: Random, taste: Taste) -> str:
    return chance.choice(LOCATIONS[: taste.locations])
