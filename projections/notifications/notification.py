"""What is told: one fact, as every channel carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic_core import to_json


class Kind(StrEnum):
    """What a notification is about."""

    LOW_STOCK = "low_stock"
    OUT_OF_STOCK = "out_of_stock"
    BACK_IN_STOCK = "back_in_stock"
    ORDER_CONFIRMED = "order_confirmed"
    ORDER_BACKORDERED = "order_backordered"
    ORDER_SHIPPED = "order_shipped"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_EXPIRED = "order_expired"
    ORDER_REJECTED = "order_rejected"


@dataclass(frozen=True, slots=True)
class Notification:
    """One fact about one event of one stream.

    Two notifications of one id are the same, byte for byte: it was sent twice.
    """

    id: str
    """UUIDv5 of the event's id and the kind: the same however often it is sent."""
    kind: Kind
    at: str
    """When the event was recorded."""
    stream: str
    version: int
    """Place of the event in its stream; rises with every notification of the stream, or stays."""
    correlation_id: str
    """The command whose commit the event is part of."""
    data: Mapping[str, Any]
    """JSON values; every kind has its own fixed set of keys."""

    def to_json(self) -> bytes:
        """The body every channel sends: compact JSON in UTF-8, the keys in this order."""
        return to_json(
            {
                "id": self.id,
                "kind": self.kind,
                "at": self.at,
                "stream": self.stream,
                "version": self.version,
                "correlation_id": self.correlation_id,
                "data": self.data,
            }
        )
