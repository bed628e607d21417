"""What every event is, and the catalogue it is entered into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Version = Annotated[int, Field(strict=True, ge=1)]

CATALOGUE: dict[str, type[Event]] = {}
"""Every event class by its stable name."""


class Event(BaseModel):
    """Base of all events."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: ClassVar[str]
    schema_version: ClassVar[int]


E = TypeVar("E", bound=type[Event])


def recorded_as(name: str, *, schema: int = 1) -> Callable[[E], E]:
    """Enter an event class into the catalogue under its stable name."""

    def enter(kind: E) -> E:
        if name in CATALOGUE:
            msg = f"two events are named {name}"
            raise TypeError(msg)
        kind.name, kind.schema_version = name, schema
        CATALOGUE[name] = kind
        return kind

    return enter
