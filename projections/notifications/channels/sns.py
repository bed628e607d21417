"""Notifications published to an SNS topic."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from projections.notifications.channels.base import Refused, Unavailable
from projections.notifications.notification import Kind, Notification

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

MAX_GROUP_ID: Final = 128
TRY_LATER: Final = frozenset(
    {
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalError",
        "InternalFailure",
        "ServiceUnavailable",
        "RequestTimeout",
        "ExpiredToken",
        "ExpiredTokenException",
        "KMSThrottling",
        "KMSThrottlingException",
    }
)


class SNSChannel:
    """Publishes each notification's JSON, with its `kind` and `id` as message attributes.

    On a FIFO topic the id deduplicates (SNS does so for five minutes) and the stream is the
    message group: the order within a stream is kept up to the subscriber.

    Parameters
    ----------
    client
        Stays the caller's.
    """

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic = topic_arn
        self.name = f"sns-{hashlib.sha256(topic_arn.encode()).hexdigest()[:16]}"

    def wants(self, kind: Kind) -> bool:  # noqa: ARG002 - subscribers filter by the attribute
        """Every kind: subscriptions have filter policies."""
        return True

    def send(self, notification: Notification) -> None:
        """Publish it; SNS has it on several servers when this returns."""
        request: dict[str, Any] = {
            "TopicArn": self._topic,
            "Message": notification.to_json().decode(),
            "MessageAttributes": {
                "kind": {"DataType": "String", "StringValue": str(notification.kind)},
                "id": {"DataType": "String", "StringValue": notification.id},
            },
        }
        if self._topic.endswith(".fifo"):
            request["MessageDeduplicationId"] = notification.id
            request["MessageGroupId"] = group_id(notification.stream)
        try:
            self._client.publish(**request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            later = code in TRY_LATER or status >= 500 or status == 429
            raise (Unavailable if later else Refused)(f"{self._topic}: {error}") from error
        except (HTTPClientError, NoConnection) as error:
            raise Unavailable(f"{self._topic}: {error}") from error
        except BotoCoreError as error:
            raise Refused(f"{self._topic}: {error}") from error


def group_id(stream: str) -> str:
    """The message group of a stream; one too long for SNS goes by its hash."""
    if len(stream) <= MAX_GROUP_ID:
        return stream
    return hashlib.sha256(stream.encode()).hexdigest()


def make_client(topic_arn: str) -> SNSClient:
    """A client for the topic's own Region; `AWS_ENDPOINT_URL_SNS` is honoured."""
    config = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 3},
        tcp_keepalive=True,
    )
    return boto3.client("sns", region_name=topic_arn.split(":")[3], config=config)
