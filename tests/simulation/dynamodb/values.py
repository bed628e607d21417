"""Values of DynamoDB: how they compare, and what the names of an expression stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Value = Mapping[str, Any]
Item = Mapping[str, Value]

SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<>": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


class ExpressionError(Exception):
    """An expression that DynamoDB would refuse, or that this engine doesn't speak."""


@dataclass(frozen=True)
class Scope:
    """What the names of an expression stand for."""

    item: Item
    names: Mapping[str, str]
    values: Mapping[str, Value]

    def attribute(self, name: str) -> str:
        """The attribute a path names."""
        if not name.startswith("#"):
            return name
        if name not in self.names:
            raise ExpressionError(f"{name} is not in ExpressionAttributeNames")
        return self.names[name]

    def operand(self, token: str) -> Value | None:
        """The value of a placeholder or an attribute; None if the item lacks it."""
        if token.startswith(":"):
            if token not in self.values:
                raise ExpressionError(f"{token} is not in ExpressionAttributeValues")
            return self.values[token]
        return self.item.get(self.attribute(token))


def comparable(value: Value) -> tuple[str, Any]:
    """A value that compares as DynamoDB compares: by type, numbers as numbers, text as UTF-8
    (whose order is that of the code points).
    """
    ((kind, content),) = value.items()
    return (kind, Decimal(content)) if kind == "N" else (kind, content)


def compared(sign: str, left: Value | None, right: Value | None) -> bool:
    """A comparison; an attribute that isn't there meets none but `<>`."""
    if left is None or right is None:
        return sign == "<>"
    (left_kind, a), (right_kind, b) = comparable(left), comparable(right)
    if left_kind != right_kind:
        return sign == "<>"
    return SIGNS[sign](a, b)


def begins(value: Value | None, prefix: Value | None) -> bool:
    if value is None or prefix is None or value.keys() != prefix.keys():
        return False
    return bool(next(iter(value.values())).startswith(next(iter(prefix.values()))))


def contains(value: Value | None, part: Value | None) -> bool:
    if value is None or part is None:
        return False
    return next(iter(part.values())) in next(iter(value.values()))


def there(path: str, value: Value | None) -> Value:
    if value is None:
        raise ExpressionError(f"{path} is set to an attribute that isn't there")
    return value


def total_of(left: Value | None, right: Value | None, factor: int) -> Value:
    zero = {"N": "0"}
    total = Decimal((left or zero)["N"]) + factor * Decimal((right or zero)["N"])
    return {"N": str(total)}
