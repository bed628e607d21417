"""Path and query parameters several operations share."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path, Query

from api.paging import Decimal
from ledger.domain.values import ID_PATTERN, MAX_BALANCE, MAX_ID_LENGTH, Id

SkuPath = Annotated[Id, Path(description="Stock keeping unit.", examples=["MUG-BLUE"])]
LocationPath = Annotated[Id, Path(description="Where it is kept.", examples=["main"])]
OrderPath = Annotated[Id, Path(description="The order's id.", examples=["SO-1001"])]

SkuFilter = Annotated[Id | None, Query(description="Only this SKU.", examples=["MUG-BLUE"])]
LocationFilter = Annotated[Id | None, Query(description="Only this location.", examples=["main"])]

BigInt = Annotated[int, Decimal, Query(ge=0, le=MAX_BALANCE)]

_PART: Final = ID_PATTERN[1:-1].replace("*", f"{{0,{MAX_ID_LENGTH - 1}}}")
STREAM_PATTERN: Final = f"^(stock:{_PART}@{_PART}(#[1-9][0-9]?)?|order:{_PART})$"
"""A stream by its id, a lane of a position as well."""
