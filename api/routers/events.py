"""The feed of events, for those who build on history themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import documentation as doc
from api import listings
from api import problems as p
from api.answers import CsvWanted, page
from api.auth import READS
from api.documentation import refused
from api.paging import DEFAULT_LIMIT, Decimal, Limit
from api.parameters import STREAM_PATTERN
from api.queries import KNOWN
from api.schemas.events import EventsPage
from api.services import CurrentServices
from ledger.domain.values import MAX_BALANCE

router = APIRouter(prefix="/v1/events", tags=["events"], dependencies=[KNOWN])


@router.get(
    "",
    operation_id="readEvents",
    dependencies=[READS],
    response_class=Response,
    responses={
        200: doc.listing("Events, oldest first.", EventsPage, doc.NEXT),
        **refused(*doc.READ, p.NOT_ACCEPTABLE),
    },
)
def read_events(
    request: Request,
    services: CurrentServices,
    as_csv: CsvWanted,
    stream: Annotated[
        str | None,
        Query(
            pattern=STREAM_PATTERN,
            description="Only this stream: `stock:SKU@LOCATION` (a lane's: `#1` and so on after "
            "it, as `%231`) or `order:ORDER_ID`.",
            examples=["stock:MUG-BLUE@main"],
        ),
    ] = None,
    after: Annotated[
        int,
        Decimal,
        Query(ge=0, le=MAX_BALANCE, description="`next` of the page before; 0: from the start."),
    ] = 0,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Events in the order they were recorded: of the whole log, or of one stream.

    `next` is always there: ask again with it to hear of what was recorded since.
    """
    found = listings.events(services, stream=stream, after=after, limit=limit)
    return page(request, found, as_csv=as_csv)
