"""A bus and queues on the emulator, as Terraform makes them on AWS."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import boto3

from projections.delivery.rules import rules

PATIENCE = 30.0


class Aws:
    """A bus with a rule, a queue and a dead-letter queue for some consumers."""

    def __init__(self, endpoint: str, *consumers: str, prefix: str | None = None) -> None:
        self.endpoint = endpoint
        self.prefix = prefix or f"test-{uuid4().hex[:12]}"
        self.events = boto3.client("events", endpoint_url=endpoint)
        self.sqs = boto3.client("sqs", endpoint_url=endpoint)
        self.bus = f"{self.prefix}-bus"
        self.urls: dict[str, str] = {}
        self.events.create_event_bus(Name=self.bus)
        for name in consumers:
            self._consumer(name)

    def close(self) -> None:
        """Let go of the clients and delete the queues."""
        for url in self.urls.values():
            self.sqs.delete_queue(QueueUrl=url)
        self.events.close()
        self.sqs.close()

    def _consumer(self, name: str) -> None:
        for queue in (name, f"{name}-dead-letters"):
            created = self.sqs.create_queue(QueueName=f"{self.prefix}-{queue}")
            self.urls[queue] = created["QueueUrl"]
        if name not in rules():
            return
        arn = self.sqs.get_queue_attributes(QueueUrl=self.urls[name], AttributeNames=["QueueArn"])[
            "Attributes"
        ]["QueueArn"]
        pattern = json.dumps(rules()[name])
        self.events.put_rule(Name=name, EventBusName=self.bus, EventPattern=pattern)
        self.events.put_targets(
            Rule=name, EventBusName=self.bus, Targets=[{"Id": "queue", "Arn": arn}]
        )

    def received(self, queue: str, count: int = 1) -> list[dict[str, Any]]:
        """So many messages of a queue, taken off it, as a function gets them."""
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + PATIENCE
        while len(found) < count:
            assert time.monotonic() < deadline, f"{found} is all that came"
            answer = self.sqs.receive_message(
                QueueUrl=self.urls[queue],
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            for message in answer.get("Messages", []):
                self.sqs.delete_message(
                    QueueUrl=self.urls[queue], ReceiptHandle=message["ReceiptHandle"]
                )
                found.append(
                    {
                        "messageId": message["MessageId"],
                        "body": message["Body"],
                        "attributes": message["Attributes"],
                        "messageAttributes": message.get("MessageAttributes", {}),
                    }
                )
        return found
