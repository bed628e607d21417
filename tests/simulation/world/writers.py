"""Clients that write: they send commands, lose answers, ask again, and remember everything."""

from __future__ import annotations

from random import Random
from typing import Final

from eventsourcing.persistence import PersistenceError

from ledger.domain.errors import Refusal
from ledger.errors import IdempotencyKeyReused
from ledger.service import Command, Outcome, ReceiptLine, ReceiveStock
from tests.simulation.engine.scheduler import Crash
from tests.simulation.world.journal import Sent, Try
from tests.simulation.world.processes import Process
from tests.simulation.world.wishes import Taste, wish

MOST_COMMANDS: Final = 12


class Writer:
    """A client and the process that serves it. The client survives the process."""

    def __init__(self, name: str, chance: Random, taste: Taste, commands: int) -> None:
        self.name = name
        self._chance = chance
        self._taste = taste
        self._left = commands
        self.journal: list[Sent] = []

    def body(self, process: Process) -> None:
        """Send what there is to be sent, first of all what was not answered."""
        while True:
            if self.journal and not self.journal[-1].settled:
                self._insist(process, self.journal[-1])
            elif self._left or self._goes_on(process):
                self._left = max(0, self._left - 1)
                command = wish(self._chance, self._taste, process.world.orders)
                self.journal.append(Sent(f"{self.name}.{len(self.journal)}", command))
                self._insist(process, self.journal[-1])
                pace = 0.8 if self._left else 0.25
                process.world.scheduler.sleep(self._chance.expovariate(pace))
            else:
                return

    def _goes_on(self, process: Process) -> bool:
        """Whether the client sends more than it meant to: a rebuild wants something to miss."""
        return len(self.journal) < MOST_COMMANDS and not process.world.rebuilding.done

    def _insist(self, process: Process, sent: Sent) -> None:
        """Ask until told, or until the client loses interest."""
        while not sent.settled:
            if sent.tries and self._chance.random() < 0.25:
                sent.settled = True
                return
            told = self._ask(process, sent, sent.command, sent.tries)
            if isinstance(told, Outcome | Refusal):
                sent.settled = True
                if isinstance(told, Outcome) and told.order is not None:
                    process.world.orders.append(told.order.order_id)
            else:
                process.world.scheduler.sleep(self._chance.uniform(0, 0.5))
        if self._chance.random() < 0.1:
            self._ask(process, sent, sent.command, sent.tries)
        if sent.answers and self._chance.random() < 0.05:
            other = ReceiveStock((ReceiptLine("forged", "east", 1),))
            self._ask(process, sent, other, sent.forged)

    def _ask(
        self, process: Process, sent: Sent, command: Command, tries: list[Try]
    ) -> Outcome | Exception:
        """One request. What isn't caught here is no answer that a client may get."""
        database = process.world.database
        attempt = Try(database.commits)
        tries.append(attempt)
        told: Outcome | Exception | None = None
        try:
            told = process.ledger.handle(command, sent.context)
        except (Refusal, IdempotencyKeyReused, PersistenceError) as error:
            told = error
        except Crash:
            attempt.ended = database.commits
            raise
        attempt.told, attempt.ended = told, database.commits
        return told
