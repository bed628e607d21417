"""Handling dead letters of the local pump again, here and now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from projections.delivery.consumer import Consumer
from projections.delivery.consumers import make_consumers
from projections.delivery.dead_letters import DeadLetter, reason_of
from projections.delivery.redriving import Failure, StillDead
from projections.delivery.relay import RELAY
from projections.pump.bootstrap import Local
from projections.pump.letters import TableDeadLetters
from projections.pump.plumbing import Plumbing
from projections.pump.queues import Message, sqs_event
from projections.pump.tickets import Ticket

LAST_RECEIPT: Final = 1_000_000
"""More receipts than any setting allows: what fails now is given up now, with its reason."""


class _Reasons:
    """Takes what a consumer gives up, for its reason."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def put(self, letter: DeadLetter) -> None:
        self.given.append(letter.reason)


class TableGraveyard:
    """The dead letters of one consumer in the `pump` table."""

    def __init__(self, kept: TableDeadLetters, consumer: str) -> None:
        self.consumer = consumer
        self._kept = kept

    def letters(self) -> Sequence[DeadLetter]:
        """What is there, the oldest first."""
        return [kept.letter for kept in self._kept.of(self.consumer)]

    def redrive(self, again: Callable[[DeadLetter], None]) -> tuple[int, list[Failure]]:
        """Do something with every letter, and delete those for which it did not raise."""
        done, failures = 0, []
        for kept in self._kept.of(self.consumer):
            try:
                again(kept.letter)
            except Exception as error:
                failures.append(Failure(kept.letter, reason_of(error)))
            else:
                self._kept.remove(kept)
                done += 1
        return done, failures


def handle_again(local: Local, consumer: str) -> Callable[[DeadLetter], None]:
    """Handles a letter in this process; a pump may be running beside it.

    It raises the error that the letter fails with. A letter of the relay is published, and what
    comes of it is handled here; what of that fails becomes a dead letter of who failed.
    """
    if consumer == RELAY:
        plumbing = Plumbing(local.consumers(), None, local.totals)
        return lambda letter: _relay(plumbing, letter)
    reasons = _Reasons()
    parts = replace(local.parts, dead_letters=lambda _: reasons)
    (handler,) = make_consumers(parts, [consumer])
    return lambda letter: _handle(handler, letter, reasons)


def _handle(consumer: Consumer, letter: DeadLetter, reasons: _Reasons) -> None:
    reasons.given.clear()
    consumer(sqs_event([Message("redriven", letter.body, Ticket(), LAST_RECEIPT)], consumer.name))
    for reason in reasons.given:
        raise StillDead(reason)


def _relay(plumbing: Plumbing, letter: DeadLetter) -> None:
    if not plumbing.relay_json(letter.body, Ticket()):
        raise StillDead(letter.reason)
    while plumbing.waiting:
        for name in plumbing.queues:
            plumbing.serve(name)
