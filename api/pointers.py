"""Where a request is wrong: validation errors as problem entries that point at each fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from api.wording import wording

MAX_FAULTS: Final = 100
"""A body of 10,000 bad lines is told in its first hundred faults."""

ONE: Final = "#one"
MANY: Final = "#many"
"""Tags of the two shapes a stock movement has on the wire; they are no part of its body."""


def faults(errors: Sequence[Any]) -> list[dict[str, str]]:
    """An entry per error: `detail`, and a `pointer`, `parameter` or `header`."""
    return [_fault(error["loc"], wording(error)) for error in errors[:MAX_FAULTS]]


def _fault(loc: Sequence[str | int], message: str) -> dict[str, str]:
    where, *path = loc
    if where == "body":
        return {"detail": message, "pointer": pointer(path)}
    return {"detail": message, "header" if where == "header" else "parameter": str(path[0])}


def pointer(path: Sequence[str | int]) -> str:
    """A JSON Pointer (RFC 6901) as a URI fragment."""
    if path and path[0] in {ONE, MANY}:
        path = path[1:]
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "#" + "".join("/" + quote(part, safe="~!$&'()*+,;=:@") for part in parts)
