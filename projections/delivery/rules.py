"""The rules of the bus: which events go to which consumer's queue.

They are data (`rules.json`, one event pattern of EventBridge per consumer), read by Terraform and
by the local bus alike. The local bus knows the operators that are used and refuses others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from pydantic_core import from_json

Pattern = Mapping[str, Any]

_ABSENT: Final = object()


@cache
def rules() -> dict[str, Pattern]:
    """The event pattern of every consumer, by its name."""
    text = resources.files("projections.delivery").joinpath("rules.json").read_bytes()
    found: dict[str, Pattern] = from_json(text)
    return found


def matches(pattern: Pattern, event: Mapping[str, Any]) -> bool:
    """Whether an event matches: every field of the pattern, with one of its alternatives.

    Raises
    ------
    ValueError
        The pattern uses an operator that isn't known here.
    """
    return all(_field_matches(wanted, event.get(name, _ABSENT)) for name, wanted in pattern.items())


def _field_matches(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        return matches(wanted, value if isinstance(value, Mapping) else {})
    alternatives: Sequence[Any] = wanted
    return any(_one_matches(alternative, value) for alternative in alternatives)


def _one_matches(wanted: Any, value: Any) -> bool:
    match wanted:
        case {"prefix": str(prefix), **rest} if not rest:
            return isinstance(value, str) and value.startswith(prefix)
        case {"exists": bool(exists), **rest} if not rest:
            return (value is not _ABSENT) == exists
        case str() | int() | None:
            return type(value) is type(wanted) and bool(value == wanted)
    msg = f"the local bus doesn't know the pattern {wanted!r}"
    raise ValueError(msg)
