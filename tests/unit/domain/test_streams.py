"""Stream ids: built one way, parsed one way, and nothing else parses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.streams import (
    is_order,
    is_stock,
    lane_of,
    lane_stream,
    order_stream,
    parse_order,
    parse_stock,
    position_of,
    stock_stream,
)

ids = st.text("aZ09._+-", min_size=1, max_size=9)


def test_streams_are_written_as_history_has_them() -> None:
    assert stock_stream("MUG", "main") == "stock:MUG@main"
    assert stock_stream("MUG", "main", 3) == "stock:MUG@main#3"
    assert lane_stream("stock:MUG@main", 12) == "stock:MUG@main#12"
    assert order_stream("A-1") == "order:A-1"


@given(ids, ids, st.integers(0, 99))
def test_a_lanes_stream_parses_one_way_only(sku: str, location: str, lane: int) -> None:
    stream = stock_stream(sku, location, lane)
    assert parse_stock(stream) == (sku, location)
    assert lane_of(stream) == lane
    assert position_of(stream) == stock_stream(sku, location)
    assert lane_stream(position_of(stream), lane_of(stream)) == stream
    assert is_stock(stream) is True
    assert is_order(stream) is False


@given(ids)
def test_an_orders_stream_parses_one_way_only(order_id: str) -> None:
    stream = order_stream(order_id)
    assert parse_order(stream) == order_id
    assert is_order(stream) is True
    assert is_stock(stream) is False


@pytest.mark.parametrize(
    "stream", ["stock:A", "order:1", "stock:@x", "stock:a@", "x", "a@b", "order:a@b", ""]
)
def test_what_is_no_position_does_not_parse_as_one(stream: str) -> None:
    with pytest.raises(ValueError, match="not a position's stream id"):
        parse_stock(stream)


@pytest.mark.parametrize("stream", ["order:", "A-1", "stock:A-1", "", "Order:A-1"])
def test_what_is_no_order_does_not_parse_as_one(stream: str) -> None:
    with pytest.raises(ValueError, match="not an order's stream id"):
        parse_order(stream)


@pytest.mark.parametrize("lane", ["", "0", "01", "-1", "x", "1x", " 1", "٣", "²", "1#2"])
def test_a_lane_is_written_as_a_number_above_0_and_one_way_only(lane: str) -> None:
    with pytest.raises(ValueError, match="not a lane's stream id"):
        lane_of(f"stock:A@main#{lane}")
    with pytest.raises(ValueError, match="not a lane's stream id"):
        parse_stock(f"stock:A@main#{lane}")
