"""Commands that clients of a small shop send: few SKUs, locations and orders, so they collide."""

from __future__ import annotations

from hypothesis import strategies as st

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

SKUS = ("A", "A.1")
CANDIDATES = ("east", "west")
"""Locations that serve lines naming none."""
LOCATIONS = (*CANDIDATES, "shop")
ORDERS = tuple(f"o{n}" for n in range(1, 7))

skus = st.sampled_from(SKUS)
locations = st.sampled_from(LOCATIONS)
order_ids = st.sampled_from(ORDERS)
numbers = st.integers(1, 4)
quantities = st.sampled_from((1, 1, 2, 4))


def _receipts(lines: int) -> st.SearchStrategy[ReceiveStock]:
    line = st.builds(ReceiptLine, skus, locations, st.integers(1, 4))
    return st.builds(ReceiveStock, st.lists(line, min_size=1, max_size=lines).map(tuple))


receiving, stocking = _receipts(2), _receipts(5)
adjusting = st.builds(
    AdjustStock,
    st.lists(
        st.builds(AdjustmentLine, skus, locations, st.integers(-3, 3), st.just("counted")),
        min_size=1,
        max_size=3,
    ).map(tuple),
)
returning = st.builds(
    ReturnStock,
    st.lists(
        st.builds(ReturnLine, skus, locations, numbers, st.sampled_from(Disposition)),
        min_size=1,
        max_size=2,
    ).map(tuple),
)
setting_policy = st.builds(SetPositionPolicy, skus, locations, st.none() | st.integers(0, 9))
placing = st.builds(
    PlaceOrder,
    st.lists(
        st.builds(OrderRequestLine, skus, st.integers(1, 5), st.none() | locations),
        min_size=1,
        max_size=4,
    ).map(tuple),
    st.none() | order_ids,
    st.sampled_from((None, "ann")),
    st.sampled_from(OrderPolicy),
    st.none() | st.sampled_from((60, 3_600)),
)
shipping = st.builds(
    ShipOrder,
    order_ids,
    st.none()
    | st.lists(st.builds(LineWanted, st.integers(1, 3), quantities), max_size=3).map(tuple),
)
cancelling = st.builds(
    CancelOrder, order_ids, st.none() | st.lists(st.integers(1, 2), max_size=3).map(tuple)
)

wishes: st.SearchStrategy[Command] = st.one_of(
    receiving, placing, placing, shipping, cancelling, receiving, adjusting, returning,
    setting_policy,
)  # fmt: skip
