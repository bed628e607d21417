"""The problem document as the API's description shows it."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.problems import KINDS
from api.schemas.shortfalls import ShortfallOut


class Fault(TypedDict):
    """One fault: in the body (`pointer`), a path or query parameter, or a header."""

    detail: str
    pointer: NotRequired[
        Annotated[str, Field(description="JSON Pointer.", examples=["#/lines/0/quantity"])]
    ]
    parameter: NotRequired[str]
    header: NotRequired[str]


class ProblemOut(TypedDict):
    """A problem (RFC 9457)."""

    type: Annotated[
        str,
        Field(
            description="Stable: what a program should test.",
            json_schema_extra={"enum": [kind.type for kind in KINDS.values()]},
        ),
    ]
    title: str
    status: int
    detail: str
    instance: NotRequired[Annotated[str, Field(description="Finds a defect in the log.")]]
    errors: NotRequired[list[Fault]]
    shortfalls: NotRequired[list[ShortfallOut]]
    order_id: NotRequired[str]
    order_status: NotRequired[str]
    current_version: NotRequired[int]
    writer_region: NotRequired[Annotated[str, Field(description="The Region that writes.")]]
