"""Stock: levels, totals per SKU, a position's policy and its movements."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Query, Request, Response

from api import documentation as doc
from api import listings
from api import problems as p
from api.answers import CsvWanted, answer, page, resource
from api.auth import READS
from api.bodies import BodyRoute
from api.conditions import conditional
from api.documentation import refused
from api.idempotency import StockContext, replay_mark
from api.paging import DEFAULT_LIMIT, After, Decimal, Limit
from api.parameters import LocationFilter, LocationPath, SkuFilter, SkuPath
from api.positions import Moment, read_position
from api.preconditions import IfMatch, IfNoneMatch, etag
from api.queries import KNOWN
from api.schemas import stock as out
from api.schemas.order_requests import PolicyIn
from api.services import CurrentServices
from ledger.domain.lanes import MAX_LANES
from ledger.domain.streams import stock_stream
from ledger.domain.values import MAX_BALANCE
from ledger.service import SetPositionPolicy

router = APIRouter(prefix="/v1/stock", tags=["stock"], dependencies=[KNOWN], route_class=BodyRoute)

_POLICY: Final[dict[str, Any]] = {"policy": {"value": {"low_stock_threshold": 5}}}


@router.get(
    "",
    operation_id="listStock",
    dependencies=[READS],
    response_class=Response,
    responses={
        200: doc.listing("Levels by SKU and location.", out.StockPage, doc.NEXT, doc.APPLIED_TO),
        **refused(*doc.READ, p.NOT_ACCEPTABLE),
    },
)
def list_stock(
    request: Request,
    services: CurrentServices,
    as_csv: CsvWanted,
    sku: SkuFilter = None,
    location: LocationFilter = None,
    below: Annotated[
        int | None,
        Decimal,
        Query(ge=0, le=MAX_BALANCE, description="Only with fewer available units than this."),
    ] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Stock levels, from a view that follows the events within moments, and totals per SKU."""
    found = listings.stock(
        services,
        sku=sku,
        location=location,
        below=below,
        after=after,
        limit=limit,
        with_totals=not as_csv,
    )
    return page(request, found, as_csv=as_csv)


@router.get(
    "/{sku}/{location}",
    operation_id="getStockLevel",
    dependencies=[READS],
    response_class=Response,
    responses={
        200: doc.success("The level.", out.StockLevelOut, {**doc.ETAG}),
        304: doc.NOT_MODIFIED,
        **refused(*doc.READ, p.POSITION_NOT_FOUND, p.VIEW_BEHIND),
    },
)
def get_stock_level(
    sku: SkuPath,
    location: LocationPath,
    moment: Moment,
    services: CurrentServices,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The stock of one SKU at one location.

    From the view, unless `consistent` or `as_of` asks for the events themselves.
    """
    level = read_position(services, sku, location, moment)
    return resource(level, level["version"], if_none_match)


@router.put(
    "/{sku}/{location}/policy",
    operation_id="setPositionPolicy",
    response_class=Response,
    responses={
        200: doc.success(
            "The policy is in force.", out.StockLevelOut, {**doc.ETAG, **doc.REPLAYED}
        ),
        **refused(*doc.CHANGE, p.VERSION_MISMATCH),
    },
)
def set_position_policy(
    sku: SkuPath,
    location: LocationPath,
    body: Annotated[PolicyIn, Body(openapi_examples=_POLICY)],
    context: StockContext,
    services: CurrentServices,
    if_match: IfMatch = None,
) -> Response:
    """Set a position's policy, also before anything is there. It is recorded like a movement."""
    command = SetPositionPolicy(sku, location, body.low_stock_threshold)
    context = conditional(services, context, stock_stream(sku, location), if_match)
    outcome = services.ledger.handle(command, context)
    (level,) = out.levels_after(outcome, services.ledger.history)
    return answer(level, headers={"ETag": etag(level["version"]), **replay_mark(outcome)})


@router.get(
    "/{sku}/{location}/movements",
    operation_id="listMovements",
    dependencies=[READS],
    response_class=Response,
    responses={
        200: doc.listing("Movements with their running balance.", out.MovementsPage, doc.NEXT),
        **refused(*doc.READ, p.POSITION_NOT_FOUND, p.NOT_ACCEPTABLE),
    },
)
def list_movements(
    request: Request,
    sku: SkuPath,
    location: LocationPath,
    services: CurrentServices,
    as_csv: CsvWanted,
    lane: Annotated[
        int,
        Decimal,
        Query(
            ge=0,
            lt=MAX_LANES,
            description="Which lane, if the position is in lanes: each has a card of its own.",
        ),
    ] = 0,
    order: Annotated[Literal["asc", "desc"], Query(description="`desc`: newest first.")] = "desc",
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """The stock card of a position: every movement ever, straight from its events."""
    found = listings.movements(
        services, sku=sku, location=location, lane=lane, order=order, after=after, limit=limit
    )
    return page(request, found, as_csv=as_csv)
