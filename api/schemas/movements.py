"""Receipts, adjustments and returns on the wire: one line, or up to 90 in `lines`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from api.pointers import MANY, ONE
from ledger.domain.values import (
    MAX_MONEY,
    Currency,
    Delta,
    Disposition,
    Id,
    Money,
    Quantity,
    Text,
)
from ledger.service import (
    AdjustmentLine,
    AdjustStock,
    ReceiptLine,
    ReceiveStock,
    ReturnLine,
    ReturnStock,
)
from ledger.service.commands import MAX_STOCK_LINES


def _not_zero(delta: int) -> int:
    if delta == 0:
        raise PydanticCustomError("not_zero", "Input should not be 0")
    return delta


Sku = Annotated[Id, Field(description="Stock keeping unit.", examples=["MUG-BLUE"])]
Location = Annotated[Id, Field(description="Where it is kept.", examples=["main"])]
Units = Annotated[Quantity, Field(description="Units, in the SKU's base unit.", examples=[12])]
Reference = Annotated[
    Text | None, Field(description="The caller's own document number.", examples=["PO-1042"])
]
SignedUnits = Annotated[
    Delta,
    AfterValidator(_not_zero),
    Field(
        description="Units added (above 0) or taken away (below 0).",
        examples=[-1],
        json_schema_extra={"not": {"const": 0}},
    ),
]
UnitCost = Annotated[
    Annotated[int, Field(strict=True, ge=0, le=MAX_MONEY)] | None,
    Field(description="Cost of one unit in the currency's minor unit.", examples=[450]),
]


class Request(BaseModel):
    """Base of request bodies: nothing unknown, nothing coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReceiptIn(Request):
    """Goods that came in at one position. `unit_cost` and `currency` come together."""

    sku: Sku
    location: Location
    quantity: Units
    unit_cost: UnitCost = None
    currency: Annotated[
        Currency | None, Field(description="ISO 4217 code of `unit_cost`.", examples=["GBP"])
    ] = None
    reference: Reference = None

    @model_validator(mode="after")
    def _cost_with_currency(self) -> Self:
        if (self.unit_cost is None) != (self.currency is None):
            why = "unit_cost and currency come together or not at all"
            raise PydanticCustomError("cost_without_currency", why)
        return self

    @property
    def line(self) -> ReceiptLine:
        """The command's line."""
        cost = None
        if self.unit_cost is not None and self.currency is not None:
            cost = Money(amount=self.unit_cost, currency=self.currency)
        return ReceiptLine(self.sku, self.location, self.quantity, cost, self.reference)


class AdjustmentIn(Request):
    """A correction of one position: the books follow what is really there."""

    sku: Sku
    location: Location
    delta: SignedUnits
    reason: Annotated[Text, Field(description="Why.", examples=["broken in the store"])]
    reference: Reference = None

    @property
    def line(self) -> AdjustmentLine:
        """The command's line."""
        return AdjustmentLine(self.sku, self.location, self.delta, self.reason, self.reference)


class ReturnIn(Request):
    """Goods that came back at one position."""

    sku: Sku
    location: Location
    quantity: Units
    disposition: Annotated[
        Disposition,
        Field(description="`restock`: fit for sale; `damaged`: there, but not for sale."),
    ] = Disposition.RESTOCK
    order_id: Annotated[Id | None, Field(description="The order it was sold with.")] = None
    reference: Reference = None

    @property
    def line(self) -> ReturnLine:
        """The command's line."""
        return ReturnLine(
            self.sku, self.location, self.quantity, self.disposition, self.order_id, self.reference
        )


_LINES: Final[dict[str, Any]] = {"min_length": 1, "max_length": MAX_STOCK_LINES}


class ReceiptsIn(Request):
    """Several receipts, recorded together or not at all."""

    lines: Annotated[list[ReceiptIn], Field(**_LINES)]


class AdjustmentsIn(Request):
    """Several adjustments, recorded together or not at all."""

    lines: Annotated[list[AdjustmentIn], Field(**_LINES)]


class ReturnsIn(Request):
    """Several returns, recorded together or not at all."""

    lines: Annotated[list[ReturnIn], Field(**_LINES)]


def _shape(body: object) -> str:
    many = "lines" in body if isinstance(body, dict) else hasattr(body, "lines")
    return MANY if many else ONE


OneOrMany = Discriminator(_shape)

ReceiptBody = Annotated[
    Annotated[ReceiptIn, Tag(ONE)] | Annotated[ReceiptsIn, Tag(MANY)], OneOrMany
]
AdjustmentBody = Annotated[
    Annotated[AdjustmentIn, Tag(ONE)] | Annotated[AdjustmentsIn, Tag(MANY)], OneOrMany
]
ReturnBody = Annotated[Annotated[ReturnIn, Tag(ONE)] | Annotated[ReturnsIn, Tag(MANY)], OneOrMany]


def receive_stock(body: ReceiptIn | ReceiptsIn) -> ReceiveStock:
    """The command of a receipt."""
    lines = body.lines if isinstance(body, ReceiptsIn) else [body]
    return ReceiveStock(tuple(one.line for one in lines))


def adjust_stock(body: AdjustmentIn | AdjustmentsIn) -> AdjustStock:
    """The command of an adjustment."""
    lines = body.lines if isinstance(body, AdjustmentsIn) else [body]
    return AdjustStock(tuple(one.line for one in lines))


def return_stock(body: ReturnIn | ReturnsIn) -> ReturnStock:
    """The command of a return."""
    lines = body.lines if isinstance(body, ReturnsIn) else [body]
    return ReturnStock(tuple(one.line for one in lines))
