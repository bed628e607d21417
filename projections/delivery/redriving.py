"""Sending dead letters again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from projections.delivery.dead_letters import DeadLetter, reason_of
from projections.delivery.publisher import Publisher
from projections.delivery.relay import Relay

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN_SECONDS: Final = 60
"""How long a letter that is being dealt with is kept from others who look into the queue."""


class StillDead(Exception):
    """A letter was sent again and failed as before."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A letter that stays where it is, and why."""

    letter: DeadLetter
    reason: str


class Graveyard(Protocol):
    """The dead letters of one consumer."""

    consumer: str

    def letters(self) -> Sequence[DeadLetter]:
        """What is there, the oldest first as far as that can be told."""

    def redrive(self, again: Callable[[DeadLetter], None]) -> tuple[int, list[Failure]]:
        """Do something with every letter, and forget those for which it did not raise.

        Answers how many were forgotten, and the others. Letters that come meanwhile stay.
        """


def forget_all(graveyard: Graveyard) -> int:
    """Forget every letter; answers how many there were."""
    return graveyard.redrive(lambda _: None)[0]


def send_to(client: SQSClient, queue_url: str) -> Callable[[DeadLetter], None]:
    """Sends a letter to its consumer's queue, as a new message."""

    def again(letter: DeadLetter) -> None:
        client.send_message(QueueUrl=queue_url, MessageBody=letter.body)

    return again


def publish_again(publisher: Publisher) -> Callable[[DeadLetter], None]:
    """Relays a letter of the relay."""
    relay = Relay(publisher)

    def again(letter: DeadLetter) -> None:
        if relay.handle(json.loads(letter.body))["batchItemFailures"]:
            raise StillDead(letter.reason)

    return again


class SqsGraveyard:
    """The letters in a dead-letter queue, also those its source's redrive policy put there."""

    def __init__(self, client: SQSClient, queue_url: str, consumer: str) -> None:
        self.consumer = consumer
        self._client = client
        self._queue_url = queue_url

    def letters(self) -> Sequence[DeadLetter]:
        """What is there. Nobody else sees it while it is looked at."""
        with self._received() as received:
            return [self._letter(message) for message in received]

    def redrive(self, again: Callable[[DeadLetter], None]) -> tuple[int, list[Failure]]:
        """Do something with every letter, and delete those for which it did not raise."""
        done, failures = 0, []
        with self._received() as received:
            for message in list(received):
                letter = self._letter(message)
                try:
                    again(letter)
                except Exception as error:
                    failures.append(Failure(letter, reason_of(error)))
                    continue
                self._client.delete_message(
                    QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
                received.remove(message)
                done += 1
        return done, failures

    @contextmanager
    def _received(self) -> Iterator[list[Mapping[str, Any]]]:
        """All messages, each once; those that are left at the end are shown to others again."""
        found: dict[str, Mapping[str, Any]] = {}
        while True:
            answer = self._client.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            news = {m["MessageId"]: m for m in answer.get("Messages", [])}
            if not news.keys() - found.keys():
                break
            found |= news
        received = sorted(found.values(), key=lambda m: int(m["Attributes"]["SentTimestamp"]))
        try:
            yield received
        finally:
            for message in received:
                self._client.change_message_visibility(
                    QueueUrl=self._queue_url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=0,
                )

    def _letter(self, message: Mapping[str, Any]) -> DeadLetter:
        told = {
            name: str(value.get("StringValue", ""))
            for name, value in message.get("MessageAttributes", {}).items()
        }
        reason = told.get("reason", "its queue gave it up: nobody acknowledged it")
        return DeadLetter(self.consumer, message["Body"], reason, told.get("failed_at", ""))
