"""The errors of the simulated DynamoDB: botocore's own classes, as its clients raise them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError


class ConditionalCheckFailedException(ClientError):
    """The condition of a single write was not met."""


class ResourceNotFoundException(ClientError):
    """There is no such table."""


class ResourceInUseException(ClientError):
    """The table is there already."""


class TransactionCanceledException(ClientError):
    """A transaction was not done; `CancellationReasons` says why, one reason per action."""


class Exceptions:
    """What a client has as `exceptions`."""

    ConditionalCheckFailedException = ConditionalCheckFailedException
    ResourceNotFoundException = ResourceNotFoundException
    ResourceInUseException = ResourceInUseException
    TransactionCanceledException = TransactionCanceledException
    ClientError = ClientError


def refused(
    code: str, operation: str, message: str = "", kind: type[ClientError] = ClientError, **more: Any
) -> ClientError:
    """A service error."""
    response: Any = {
        "Error": {"Code": code, "Message": message or code},
        "ResponseMetadata": {"HTTPStatusCode": 400},
        **more,
    }
    return kind(response, operation)


def condition_failed(operation: str, item: Any) -> ClientError:
    """The condition of a single write was not met; `item` is told if it was asked for."""
    more = {} if item is None else {"Item": item}
    message = "The conditional request failed"
    return refused(
        "ConditionalCheckFailedException",
        operation,
        message,
        ConditionalCheckFailedException,
        **more,
    )


def cancelled(reasons: Sequence[dict[str, Any]]) -> ClientError:
    """A cancelled transaction, with a reason for each of its actions."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    return refused(
        "TransactionCanceledException",
        "TransactWriteItems",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        TransactionCanceledException,
        CancellationReasons=list(reasons),
    )


def no_answer() -> ReadTimeoutError:
    """Nobody knows what became of the request."""
    return ReadTimeoutError(endpoint_url="https://dynamodb.simulated")
