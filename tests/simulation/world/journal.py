"""What clients remember of what they asked and what they were told."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.service import Command, Context, Idempotency, Outcome


@dataclass
class Try:
    """One request and its answer; the numbers count the database's commits before and after.

    No answer (`told` is None) means that the process died with the request in its hands.
    """

    began: int
    ended: int = -1
    told: Outcome | Exception | None = None


@dataclass
class Sent:
    """One command of one client under one key. `actor` is nobody else's."""

    actor: str
    command: Command
    tries: list[Try] = field(default_factory=list)
    forged: list[Try] = field(default_factory=list)
    """Requests of the same client under the same key with another content."""
    settled: bool = False
    """Whether the client asks no more."""

    @property
    def context(self) -> Context:
        """Who asks, under which key."""
        return Context(self.actor, Idempotency("simulated", "key"))

    @property
    def answers(self) -> list[Outcome]:
        """Every outcome the client was told of."""
        return [t.told for t in self.tries if isinstance(t.told, Outcome)]
