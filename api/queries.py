"""Query strings: a parameter that an operation does not have is refused, not passed over.

A list asked for with `stauts=rejected` would answer with every order, a level asked for with
`asof=` with today's, and nobody would see it.
"""

from __future__ import annotations

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from api import problems
from api.pointers import MAX_FAULTS
from api.problems import Problem


async def known_parameters(request: Request) -> None:
    """Let a request pass that asks for nothing its operation does not know.

    Raises
    ------
    Problem
        A query parameter is unknown, or there twice.
    """
    if not request.scope["query_string"]:
        return
    names = sorted(_names(request.scope["route"].dependant))
    given = [name for name, _ in request.query_params.multi_items()]
    errors = [
        {"detail": _fault(name, names), "parameter": name}
        for name in dict.fromkeys(given)
        if name not in names or given.count(name) > 1
    ]
    if errors:
        first = f"{errors[0]['parameter']}: {errors[0]['detail']}"
        raise Problem(problems.INVALID_PARAMETER, first, errors=errors[:MAX_FAULTS])


KNOWN = Depends(known_parameters)


def _fault(name: str, names: list[str]) -> str:
    if name in names:
        return "it must be given once"
    there = ", ".join(names) or "none"
    return f"there is no such query parameter here (there are: {there})"


def _names(dependant: Dependant) -> set[str]:
    """The query parameters of an operation and of what it depends on."""
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_names(below) for below in dependant.dependencies))
