"""Messages that nobody could handle: kept with the reason, until somebody sends them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_REASON: Final = 1000
"""Characters of a reason that are kept: it is for people, and travels as an attribute."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message as it came, and why it could not be handled.

    `consumer` is who gave it up, `failed_at` when, and `reason` is one line for people.
    """

    consumer: str
    body: str
    reason: str
    failed_at: str


class DeadLetters(Protocol):
    """Where messages are put that were tried often enough."""

    def put(self, letter: DeadLetter) -> None:
        """Keep a message for good; it may be there twice if an answer was lost.

        Raises
        ------
        Exception
            It could not be kept, so it must not be acknowledged.
        """


class SqsDeadLetters:
    """A dead-letter queue: the message, with what is known of it as message attributes."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, letter: DeadLetter) -> None:
        """Send the message to the queue."""
        told = {"reason": letter.reason, "consumer": letter.consumer, "failed_at": letter.failed_at}
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=letter.body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in told.items()
            },
        )


def reason_of(error: BaseException) -> str:
    """What went wrong, in one line of characters that every queue takes."""
    text = f"{type(error).__name__}: {error}"
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:MAX_REASON]
