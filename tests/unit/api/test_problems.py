"""Every refusal has its problem, with a stable type."""

from __future__ import annotations

import json

import pytest
from eventsourcing.persistence import InterfaceError, OperationalError

from api.explanations import explain
from api.pointers import MANY, ONE, pointer
from api.problems import KINDS, TYPE_PREFIX
from ledger.domain import errors as domain
from ledger.domain.errors import Refusal
from ledger.errors import (
    CommitTooLarge,
    Contention,
    IdempotencyKeyReused,
    LeaseUnreadable,
    NotTheWriter,
    UnknownOutcome,
)
from projections.store.base import ViewStoreBusy

REFUSALS: list[tuple[Exception, str, int]] = [
    (domain.InsufficientStock([]), "insufficient-stock", 409),
    (domain.OrderExists("O"), "order-exists", 409),
    (domain.OrderNotFound("O"), "order-not-found", 404),
    (domain.OrderNotOpen("O", "shipped", "ship"), "order-not-open", 409),
    (domain.OrderBusy("O", "allocation"), "order-busy", 409),
    (domain.LineNotFound("O", 3, 0), "line-not-found", 422),
    (domain.LineExceeded("O", 3, 0, 2, 1), "line-exceeded", 409),
    (domain.VersionMismatch("order:O", 1, 2), "version-mismatch", 412),
    (domain.BalanceLimitExceeded("on_hand", 1), "balance-limit-exceeded", 409),
    (IdempotencyKeyReused("anonymous#placeOrder#k"), "idempotency-key-reused", 422),
    (Contention("busy"), "contention", 503),
    (UnknownOutcome("lost"), "unknown-outcome", 503),
    (NotTheWriter("ap-southeast-2"), "writing-elsewhere", 503),
    (LeaseUnreadable("ap-southeast-4"), "store-unavailable", 503),
    (CommitTooLarge("big"), "commit-too-large", 422),
    (OperationalError("disk"), "store-unavailable", 503),
    (ViewStoreBusy("locked"), "store-unavailable", 503),
    (InterfaceError("gone"), "store-unavailable", 503),
]


@pytest.mark.parametrize(("error", "slug", "status"), REFUSALS)
def test_each_refusal_is_explained(error: Exception, slug: str, status: int) -> None:
    problem = explain(error)
    assert (problem.kind.slug, problem.kind.status) == (slug, status)
    answer = problem.response()
    document = json.loads(bytes(answer.body))
    assert answer.media_type == "application/problem+json"
    assert answer.status_code == document["status"] == status
    assert document["type"] == TYPE_PREFIX + slug
    assert "anonymous" not in document["detail"]


def test_no_refusal_of_the_domain_is_forgotten() -> None:
    told = {type(error) for error, _, _ in REFUSALS}
    assert set(Refusal.__subclasses__()) <= told


def test_waiting_is_told_in_whole_seconds() -> None:
    contention = Contention("busy")
    contention.retry_after = 1.2
    assert explain(contention).headers["Retry-After"] == "2"
    assert explain(domain.OrderBusy("O", "shipment")).headers["Retry-After"] == "1"


def test_a_mismatch_tells_the_current_version() -> None:
    problem = explain(domain.VersionMismatch("order:O", 1, 2))
    assert problem.headers == {"ETag": '"2"'}
    assert problem.members == {"current_version": 2}
    assert explain(domain.VersionMismatch("order:O", 1, 0)).headers == {}


def test_a_region_that_does_not_write_names_the_one_that_does() -> None:
    problem = explain(NotTheWriter("ap-southeast-2"))
    assert problem.members == {"writer_region": "ap-southeast-2"}
    assert problem.headers == {"Retry-After": "5"}
    unknown = explain(NotTheWriter(None))
    assert unknown.members == {}
    assert unknown.headers == {"Retry-After": "5"}


def test_types_are_stable() -> None:
    assert {kind.slug: kind.status for kind in KINDS.values()} == {
        "malformed-json": 400,
        "invalid-parameter": 400,
        "idempotency-key-required": 400,
        "token-required": 401,
        "invalid-token": 401,
        "insufficient-scope": 403,
        "origin-required": 403,
        "not-found": 404,
        "order-not-found": 404,
        "position-not-found": 404,
        "method-not-allowed": 405,
        "not-acceptable": 406,
        "insufficient-stock": 409,
        "order-exists": 409,
        "order-not-open": 409,
        "order-busy": 409,
        "line-exceeded": 409,
        "balance-limit-exceeded": 409,
        "view-behind": 409,
        "version-mismatch": 412,
        "body-too-large": 413,
        "unsupported-media-type": 415,
        "invalid-body": 422,
        "line-not-found": 422,
        "idempotency-key-reused": 422,
        "commit-too-large": 422,
        "rate-limited": 429,
        "internal-error": 500,
        "contention": 503,
        "unknown-outcome": 503,
        "writing-elsewhere": 503,
        "keys-unavailable": 503,
        "store-unavailable": 503,
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ([], "#"),
        (["lines", 0, "quantity"], "#/lines/0/quantity"),
        ([ONE, "sku"], "#/sku"),
        ([MANY, "lines", 3, "sku"], "#/lines/3/sku"),
        (["a/b", "~", 'c"d', "é%"], "#/a~1b/~0/c%22d/%C3%A9%25"),
    ],
)
def test_pointers(path: list[str | int], expected: str) -> None:
    assert pointer(path) == expected
