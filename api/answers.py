"""Answers: JSON from typed dictionaries, lists also as CSV, and the headers they carry."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends, Request, Response
from pydantic_core import to_json

from api import problems
from api.listings import Listing
from api.preconditions import etag, is_known
from api.problems import Problem

JSON: Final = "application/json"
CSV: Final = "text/csv"

_QUALITY: Final = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


def answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer. `content` is built by this package, so it isn't validated again."""
    return Response(to_json(content), status, headers, JSON)


def resource(content: object, version: int, if_none_match: str | None) -> Response:
    """A single resource with its ETag, or 304 when the client has that version."""
    headers = {"ETag": etag(version)}
    if is_known(if_none_match, version):
        return Response(status_code=304, headers=headers)
    return answer(content, headers=headers)


async def csv_wanted(request: Request) -> bool:
    """Whether `Accept` prefers CSV to JSON.

    Raises
    ------
    Problem
        It allows neither.
    """
    accepted = request.headers.get("accept", "*/*")
    as_json, as_csv = _quality(accepted, JSON), _quality(accepted, CSV)
    if not as_json and not as_csv:
        detail = f"Lists are answered as {JSON} or {CSV}."
        raise Problem(problems.NOT_ACCEPTABLE, detail)
    return as_csv > as_json


CsvWanted = Annotated[bool, Depends(csv_wanted)]


def _quality(accepted: str, media_type: str) -> float:
    """How much an `Accept` header wants a media type: its most specific range decides."""
    main = media_type.partition("/")[0]
    ranges = {media_type: 3, f"{main}/*": 2, "*/*": 1}
    best, quality = 0, 0.0
    for part in accepted.split(","):
        name, *parameters = (item.strip().lower() for item in part.split(";"))
        if ranges.get(name, 0) > best:
            best, quality = ranges[name], 1.0
            for found in filter(None, map(_QUALITY.fullmatch, parameters)):
                quality = float(found[1])
    return quality


def page(request: Request, listing: Listing, *, as_csv: bool) -> Response:
    """One page of a list: as JSON with its members, or as CSV with the same columns.

    The next page's cursor and link are in headers also, as is what of the members is a text.
    """
    headers = {"Vary": "Accept"}
    for name, value in listing.members.items():
        if isinstance(value, str):
            headers["-".join(word.capitalize() for word in name.split("_"))] = value
    if listing.next_cursor is not None:
        query = request.url.include_query_params(after=listing.next_cursor).query
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
        headers["Next-Cursor"] = str(listing.next_cursor)
    if as_csv:
        return Response(_csv(listing), 200, headers, f"{CSV}; charset=utf-8")
    body = {"items": listing.items, "next": listing.next_cursor, **listing.members}
    return answer(body, headers=headers)


def _csv(listing: Listing) -> str:
    columns = list(listing.columns)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(columns)
    writer.writerows([_cell(item[column]) for column in columns] for item in listing.items)
    return buffer.getvalue()


def _cell(value: object) -> object:
    """A cell; text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if isinstance(value, dict):
        return to_json(value).decode()
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
