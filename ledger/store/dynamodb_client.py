"""The DynamoDB client: tuned, and its errors mapped to the library's.

::

    botocore                                               library / ledger
    no connection, no answer, 5xx                      ->  writing: UnknownOutcome
                                                           reading: OperationalError
    ThrottlingException, ProvisionedThroughputExceeded ->  Contention
    ResourceNotFoundException                          ->  ProgrammingError: the table is missing
    AccessDeniedException, UnrecognizedClient, ...     ->  InterfaceError
    ValidationException, SerializationException        ->  DataError
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
from eventsourcing.persistence import (
    DataError,
    InterfaceError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
)

from ledger.errors import Contention, UnknownOutcome
from ledger.store.dynamodb_requests import write_bodies

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_CONNECTIONS: Final = 32

THROTTLED: Final = frozenset(
    {
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "LimitExceededException",
        # as a reason in a cancelled transaction
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)
UNKNOWN: Final = frozenset({"InternalServerError", "ServiceUnavailable", "RequestTimeout", "500"})
INVALID: Final = frozenset(
    {
        "ValidationException",
        "SerializationException",
        "ItemCollectionSizeLimitExceededException",
    }
)
DENIED: Final = frozenset(
    {
        "AccessDeniedException",
        "UnrecognizedClientException",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
    }
)


def make_client(
    endpoint_url: str | None = None, region_name: str | None = None, **config: Any
) -> DynamoDBClient:
    """One client for the process: make it once, at module scope in Lambda.

    Short time-outs (a slow answer is asked again), few retries in the SDK (the ledger has its own
    idea of what to try again), kept connections. `AWS_ENDPOINT_URL_DYNAMODB` and
    `AWS_ENDPOINT_URL` are honoured when no endpoint is given.
    """
    settings: dict[str, Any] = {
        "connect_timeout": 1,
        "read_timeout": 3,
        "retries": {"mode": "standard", "total_max_attempts": 4},
        "max_pool_connections": MAX_CONNECTIONS,
        "tcp_keepalive": True,
        "user_agent": _user_agent(),
        # Checksums of requests are an S3 matter; here they would only cost time.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint_url,
        region_name=region_name,
        config=Config(**{**settings, **config}),
    )
    write_bodies(client)
    return client


def _user_agent() -> str:
    """Who sends the requests, in the form of AWS's SDKs.

    botocore makes its own anew, twice for every request, to tell which of its features were used.
    An application's id is taken from the environment only, not from the shared configuration.
    """
    parts = [
        f"Boto3/{boto3.__version__}",
        f"md/Botocore#{botocore.__version__}",
        "ua/2.1",
        f"os/{platform.system().lower()}",
        f"lang/python#{platform.python_version()}",
    ]
    told = {"exec-env": "AWS_EXECUTION_ENV", "app": "AWS_SDK_UA_APP_ID"}
    parts += [f"{name}/{os.environ[key]}" for name, key in told.items() if os.environ.get(key)]
    return " ".join(parts)


@contextmanager
def translated(what: str, *, writing: bool = False) -> Iterator[None]:
    """Raise the library's errors instead of botocore's; `what` names the streams or the table.

    `TransactionCanceledException` passes: its reasons are read where the transaction was made.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "TransactionCanceledException":
            raise
        raise translate(error, what, writing=writing) from error
    except (HTTPClientError, ConnectionError) as error:
        lost = UnknownOutcome if writing else OperationalError
        raise lost(f"{what}: no answer from DynamoDB: {error}") from error
    except BotoCoreError as error:
        raise InterfaceError(f"{what}: {error}") from error


def translate(error: ClientError, what: str, *, writing: bool) -> PersistenceError:
    """The library's error for a service error."""
    code = error.response["Error"]["Code"]
    message = f"{what}: {code}: {error.response['Error'].get('Message', '')}"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in THROTTLED:
        return Contention(message)
    if code in UNKNOWN or status >= 500:
        return UnknownOutcome(message) if writing else OperationalError(message)
    if code == "TransactionInProgressException":
        return UnknownOutcome(message)
    if code == "ResourceNotFoundException":
        why = message.rstrip(". ")
        return ProgrammingError(f"{why}. Create the tables first: `ledger tables create`.")
    if code in DENIED:
        return InterfaceError(message)
    if code in INVALID:
        return DataError(message)
    return OperationalError(message)
