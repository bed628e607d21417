"""Notifications published to a topic, read from a queue that subscribes to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from projections.notifications.channels.base import Refused, Unavailable
from projections.notifications.channels.sns import SNSChannel, group_id, make_client
from projections.notifications.notification import Kind, Notification
from tests.support.engines import Engines

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

FACT = Notification(
    "05ea1add-c034-5074-895d-d218ea1b7a87",
    Kind.LOW_STOCK,
    "2026-11-22T09:39:56.123456Z",
    "stock:85123A@main",
    3,
    "01a202b7-55b7-7024-b8d6-c58ccd19bb7e",
    {"sku": "85123A", "customer": "Zoë “Q”"},
)


@dataclass
class Cloud:
    """Topics, and queues that subscribe to them."""

    sns: SNSClient
    sqs: SQSClient

    def topic(self, *, fifo: bool = False) -> tuple[str, str]:
        """A new topic's ARN, and the URL of the queue behind it."""
        name = f"t{uuid4().hex}" + (".fifo" if fifo else "")
        attributes: Any = {"FifoTopic": "true"} if fifo else {}
        topic = self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        fifo_queue: Any = {"FifoQueue": "true"} if fifo else {}
        queue = self.sqs.create_queue(QueueName=name, Attributes=fifo_queue)["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        raw = {"RawMessageDelivery": "true"}
        self.sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=found["Attributes"]["QueueArn"],
            Attributes=raw,
        )
        return topic, queue

    def received(self, queue: str) -> list[Any]:
        """Every message there is; they are taken out of the queue."""
        found: list[Any] = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=queue,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                AttributeNames=["All"],
            )
            if not answer.get("Messages"):
                return found
            for message in answer["Messages"]:
                found.append(message)
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture(params=["moto", "ministack"])
def cloud(request: pytest.FixtureRequest, engines: Engines) -> Iterator[Cloud]:
    with ExitStack() as stack:
        endpoint = None
        if request.param == "moto":
            stack.enter_context(mock_aws())
        else:
            endpoint = engines.endpoint("ministack")
        cloud = Cloud(
            boto3.client("sns", endpoint_url=endpoint), boto3.client("sqs", endpoint_url=endpoint)
        )
        stack.callback(cloud.sns.close)
        stack.callback(cloud.sqs.close)
        yield cloud


def test_a_message_lands_with_its_attributes(cloud: Cloud) -> None:
    topic, queue = cloud.topic()
    SNSChannel(cloud.sns, topic).send(FACT)

    (message,) = cloud.received(queue)
    assert message["Body"].encode() == FACT.to_json()
    attributes = message["MessageAttributes"]
    assert {name: value["StringValue"] for name, value in attributes.items()} == {
        "kind": "low_stock",
        "id": FACT.id,
    }


def test_on_a_fifo_topic_a_repetition_is_one_message_of_the_streams_group(cloud: Cloud) -> None:
    topic, queue = cloud.topic(fifo=True)
    channel = SNSChannel(cloud.sns, topic)
    channel.send(FACT)
    channel.send(FACT)
    channel.send(replace(FACT, id=str(uuid4()), version=4))

    messages = cloud.received(queue)
    assert [json.loads(message["Body"])["version"] for message in messages] == [3, 4]
    assert messages[0]["Attributes"]["MessageGroupId"] == FACT.stream
    assert messages[0]["Attributes"]["MessageDeduplicationId"] == FACT.id


def test_a_topic_that_is_not_there_is_a_refusal(cloud: Cloud) -> None:
    topic, _ = cloud.topic()
    with pytest.raises(Refused, match="NotFound"):
        SNSChannel(cloud.sns, topic + "x").send(FACT)


@pytest.mark.usefixtures("engines")
def test_a_service_that_is_not_there_may_come_back() -> None:
    client = boto3.client("sns", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        SNSChannel(client, "arn:aws:sns:eu-west-1:123456789012:topic").send(FACT)
    client.close()


@pytest.mark.usefixtures("engines")
def test_the_client_speaks_with_the_topics_own_region() -> None:
    client = make_client("arn:aws:sns:ap-southeast-2:123456789012:topic")
    assert client.meta.region_name == "ap-southeast-2"
    client.close()


def test_a_group_has_the_streams_name_or_its_hash() -> None:
    assert group_id("stock:S0@main") == "stock:S0@main"
    long = f"stock:{'S' * 64}@{'L' * 64}"
    assert len(group_id(long)) == 64
    assert group_id(long) != group_id(long.replace("L@", "M@").replace("S", "T"))
