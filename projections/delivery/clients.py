"""Clients of EventBridge and SQS, tuned for functions: short time-outs, few tries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

_CONFIG: Final[dict[str, Any]] = {
    "connect_timeout": 1,
    "read_timeout": 5,
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "tcp_keepalive": True,
}


def make_events_client() -> EventBridgeClient:
    """A client of EventBridge; `AWS_ENDPOINT_URL` and its like are honoured."""
    return boto3.client("events", config=Config(**_CONFIG))


def make_sqs_client() -> SQSClient:
    """A client of SQS; `AWS_ENDPOINT_URL` and its like are honoured."""
    return boto3.client("sqs", config=Config(**_CONFIG))
