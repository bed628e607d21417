"""Models made of values that were checked already, without checking them again.

Most parts of an event are computed from events and commands that were validated when they came in,
by code that asserts what must hold of the result. Validating them once more was a tenth of all
work on a commit.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)

_set = object.__setattr__


def trusted(kind: type[M], fields: dict[str, Any]) -> M:
    """The model with these values: all of its fields, each as validation would leave it.

    What `model_construct` answers, which takes longer than validating.
    """
    model = object.__new__(kind)
    _set(model, "__dict__", fields)
    _set(model, "__pydantic_fields_set__", set(fields))
    _set(model, "__pydantic_extra__", {})
    _set(model, "__pydantic_private__", None)
    return model
