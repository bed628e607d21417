"""Problem details (RFC 9457): every refusal of the API, its stable type and its status.

`type` is what a program should test; `title` never changes for a type, `detail` tells this
occurrence. Members beside the standard ones: `errors` (one entry per fault, with a JSON Pointer
into the body, or the name of the query or path parameter or of the header), and those named in
`api.schemas.problem`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Response
from pydantic_core import to_json

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:problem-type:inventory-ledger:"

KINDS: Final[dict[str, Kind]] = {}
"""Every kind of problem by its slug."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem."""

    slug: str
    status: int
    title: str
    meaning: str
    """What happened and what a client can do; it stands in the API's documentation."""

    def __post_init__(self) -> None:
        KINDS[self.slug] = self

    @property
    def type(self) -> str:
        """The stable URI of this kind."""
        return f"{TYPE_PREFIX}{self.slug}"


class Problem(Exception):
    """A problem to answer with. `members` are extension members of the document."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = {**({"errors": errors} if errors else {}), **members}
        super().__init__(detail)

    def response(self) -> Response:
        """The HTTP answer."""
        document = {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            **self.members,
        }
        return Response(to_json(document), self.kind.status, self.headers, MEDIA_TYPE)


MALFORMED_JSON = Kind(
    "malformed-json",
    400,
    "Malformed JSON",
    "The body is not JSON in UTF-8, or a name is there twice in one object. Correct and resend.",
)
INVALID_PARAMETER = Kind(
    "invalid-parameter",
    400,
    "Invalid parameter",
    "A path or query parameter or a header is not what its description asks for, or there is no "
    "such query parameter; `errors` names each. A cursor that was altered, or is used with other "
    "filters, is one of them.",
)
KEY_REQUIRED = Kind(
    "idempotency-key-required",
    400,
    "Idempotency-Key required",
    "Requests that change something carry an `Idempotency-Key` header.",
)
TOKEN_REQUIRED = Kind(
    "token-required", 401, "Token required", "Send an access token: `Authorization: Bearer …`."
)
INVALID_TOKEN = Kind(
    "invalid-token",
    401,
    "Invalid token",
    "The token is malformed, expired, or not for this API; `detail` says which. Get a new one.",
)
INSUFFICIENT_SCOPE = Kind(
    "insufficient-scope",
    403,
    "Insufficient scope",
    "The token lacks the scope of this operation; `WWW-Authenticate` names it.",
)
ORIGIN_REQUIRED = Kind(
    "origin-required",
    403,
    "Not through the edge",
    "This address answers only what comes through its edge. Use the public address.",
)
NOT_FOUND = Kind("not-found", 404, "Not found", "Nothing is at this path.")
ORDER_NOT_FOUND = Kind("order-not-found", 404, "Order not found", "No order has this id.")
POSITION_NOT_FOUND = Kind(
    "position-not-found",
    404,
    "Position not found",
    "Nothing was recorded for this SKU at this location (or not by the instant asked for).",
)
METHOD_NOT_ALLOWED = Kind(
    "method-not-allowed", 405, "Method not allowed", "`Allow` lists the methods of this path."
)
NOT_ACCEPTABLE = Kind(
    "not-acceptable",
    406,
    "Not acceptable",
    "Lists are answered as `application/json` or `text/csv`; `Accept` allows neither.",
)
INSUFFICIENT_STOCK = Kind(
    "insufficient-stock",
    409,
    "Insufficient stock",
    "There is not enough free stock; `shortfalls` lists what was asked for and what was there. "
    "A refused order is recorded all the same: `order_id` and `Location` name it.",
)
ORDER_EXISTS = Kind(
    "order-exists", 409, "Order exists", "The order id is taken. Choose another, or none."
)
ORDER_NOT_OPEN = Kind(
    "order-not-open", 409, "Order not open", "Nothing of the order is left to ship or to cancel."
)
ORDER_BUSY = Kind(
    "order-busy",
    409,
    "Order busy",
    "A step of a large order is still under way. Try again after `Retry-After` seconds.",
)
LINE_EXCEEDED = Kind(
    "line-exceeded", 409, "Line exceeded", "More was asked of a line than it has left."
)
BALANCE_LIMIT = Kind(
    "balance-limit-exceeded",
    409,
    "Balance limit exceeded",
    "A counter would exceed the largest integer every JSON reader keeps exact.",
)
VIEW_BEHIND = Kind(
    "view-behind",
    409,
    "View behind",
    "The view has not reached `min_version` yet. Try again after `Retry-After` seconds, or read "
    "with `consistent=true`.",
)
VERSION_MISMATCH = Kind(
    "version-mismatch",
    412,
    "Version mismatch",
    "The resource is not at the version `If-Match` names; `current_version` says which it is at.",
)
BODY_TOO_LARGE = Kind(
    "body-too-large", 413, "Body too large", "A body holds at most 2,000,000 bytes."
)
UNSUPPORTED_MEDIA_TYPE = Kind(
    "unsupported-media-type", 415, "Unsupported media type", "Bodies are `application/json`."
)
INVALID_BODY = Kind(
    "invalid-body",
    422,
    "Invalid body",
    "The JSON is not what the schema asks for; `errors` points at each fault (the first 100).",
)
LINE_NOT_FOUND = Kind("line-not-found", 422, "Line not found", "The order has no such line.")
KEY_REUSED = Kind(
    "idempotency-key-reused",
    422,
    "Idempotency-Key reused",
    "The key was used before with another request. Use a new key for a new request.",
)
COMMIT_TOO_LARGE = Kind(
    "commit-too-large", 422, "Commit too large", "The request exceeds what one commit can hold."
)
RATE_LIMITED = Kind(
    "rate-limited",
    429,
    "Too many requests",
    "Nothing was done. Try again after `Retry-After` seconds.",
)
INTERNAL_ERROR = Kind(
    "internal-error",
    500,
    "Internal error",
    "A defect. `instance` is in the log; sending the same request with the same key is safe.",
)
CONTENTION = Kind(
    "contention",
    503,
    "Too many writers",
    "Nothing was recorded. Try again with the same key after `Retry-After` seconds.",
)
UNKNOWN_OUTCOME = Kind(
    "unknown-outcome",
    503,
    "Unknown outcome",
    "The store's answer was lost. Try again with the same key after `Retry-After` seconds: what "
    "was recorded is answered, what was not is done.",
)
WRITING_ELSEWHERE = Kind(
    "writing-elsewhere",
    503,
    "Another Region writes",
    "Nothing was recorded: this Region only reads. `writer_region` is the one that writes, if it "
    "is known: send the same request with the same key there, or here after `Retry-After` seconds.",
)
KEYS_UNAVAILABLE = Kind(
    "keys-unavailable",
    503,
    "Token keys unavailable",
    "The token can't be verified just now. Try again after `Retry-After` seconds.",
)
UNAVAILABLE = Kind(
    "store-unavailable",
    503,
    "Store unavailable",
    "The event store or a view can't be reached. Try again after `Retry-After` seconds.",
)
