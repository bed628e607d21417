"""What each operation can answer, for the API's description."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from api import problems as p
from api.answers import CSV
from api.problems import MEDIA_TYPE, Kind

Responses = dict[int | str, dict[str, Any]]

SCHEMAS: Final = "#/components/schemas"
PROBLEM_REF: Final = {"$ref": f"{SCHEMAS}/ProblemOut"}

ETAG: Final = {"ETag": ("Version of the stream, as a strong entity tag.", '"7"')}
REPLAYED: Final = {
    "Idempotency-Replayed": ("`true` when the key was used before: the original answer.", "true")
}
LOCATION: Final = {"Location": ("Where the order is.", "/v1/orders/SO-1001")}
NEXT: Final = {
    "Link": ('The next page, as `rel="next"`, if there is one.', '</v1/stock?after=x>; rel="next"'),
    "Next-Cursor": ("Cursor of the next page, if there is one.", "x"),
}
APPLIED_TO: Final = {
    "Applied-To": (
        "The view holds what was recorded up to this instant.",
        "2026-01-31T12:00:00.000000Z",
    )
}

CHALLENGE: Final = {
    "WWW-Authenticate": (
        "What is wrong with the token (RFC 6750).",
        'Bearer realm="inventory-ledger", error="insufficient_scope", scope="orders:write"',
    )
}
RATE: Final = {
    "RateLimit-Policy": ("Requests (`q`) in seconds (`w`).", '"default";q=600;w=60'),
    "RateLimit": ("What is left (`r`), for seconds (`t`).", '"default";r=0;t=1'),
}

ALWAYS: Final = (p.ORIGIN_REQUIRED, p.INTERNAL_ERROR, p.UNAVAILABLE)
GUARDED: Final = (
    p.TOKEN_REQUIRED,
    p.INVALID_TOKEN,
    p.INSUFFICIENT_SCOPE,
    p.RATE_LIMITED,
    p.KEYS_UNAVAILABLE,
    *ALWAYS,
)
READ: Final = (p.INVALID_PARAMETER, *GUARDED)
CHANGE: Final = (
    p.MALFORMED_JSON,
    p.INVALID_PARAMETER,
    p.KEY_REQUIRED,
    p.BODY_TOO_LARGE,
    p.UNSUPPORTED_MEDIA_TYPE,
    p.INVALID_BODY,
    p.KEY_REUSED,
    p.COMMIT_TOO_LARGE,
    p.BALANCE_LIMIT,
    p.CONTENTION,
    p.UNKNOWN_OUTCOME,
    *GUARDED,
)


def success(
    description: str, model: type, headers: dict[str, tuple[str, str]] | None = None
) -> dict[str, Any]:
    """A success with a JSON body, one of `api.openapi.ANSWERS`, and its headers.

    It is only referred to. FastAPI would make a validator of it when the route is made, and that
    would be the slowest part of a start; but answers are written by hand.
    """
    content = {"application/json": {"schema": {"$ref": f"{SCHEMAS}/{model.__name__}"}}}
    return {"description": description, "headers": _headers(headers or {}), "content": content}


def listing(description: str, model: type, *headers: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """A list, which also comes as CSV."""
    documented = success(description, model, dict(pair for h in headers for pair in h.items()))
    text = "Header row, then one row per item, with the same columns."
    csv = {CSV: {"schema": {"type": "string", "description": text}}}
    documented["content"] = {**csv, **documented["content"]}
    return documented


NOT_MODIFIED: Final[dict[str, Any]] = {"description": "The client has this version already."}


def refused(*kinds: Kind) -> Responses:
    """Problems an operation can answer with, by status."""
    by_status: defaultdict[int, list[Kind]] = defaultdict(list)
    for kind in kinds:
        by_status[kind.status].append(kind)
    return {status: _problem(same) for status, same in sorted(by_status.items())}


def _problem(kinds: list[Kind]) -> dict[str, Any]:
    examples = {
        kind.slug: {
            "summary": kind.title,
            "value": {
                "type": kind.type,
                "title": kind.title,
                "status": kind.status,
                "detail": kind.meaning,
            },
        }
        for kind in kinds
    }
    headers = {}
    if any("Retry-After" in kind.meaning for kind in kinds):
        headers["Retry-After"] = ("Seconds to wait before the next try.", "1")
    if p.TOKEN_REQUIRED in kinds or p.INSUFFICIENT_SCOPE in kinds:
        headers |= CHALLENGE
    if p.RATE_LIMITED in kinds:
        headers |= RATE
    return {
        "description": "; ".join(kind.title for kind in kinds),
        "headers": _headers(headers),
        "content": {MEDIA_TYPE: {"schema": PROBLEM_REF, "examples": examples}},
    }


def _headers(headers: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        name: {"description": text, "schema": {"type": "string"}, "example": example}
        for name, (text, example) in headers.items()
    }
