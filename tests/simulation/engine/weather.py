"""What befalls calls to the simulated services: the faults, and how much of each there is.

Every seed draws its own mixture, with most kinds left out of most seeds ("swarm testing"): faults
that always come together hide what each does alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any, Final

from tests.simulation.dynamodb.errors import cancelled, no_answer, refused
from tests.simulation.dynamodb.storage import AsOf
from tests.simulation.engine.scheduler import Scheduler

WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})


@dataclass(frozen=True)
class Rates:
    """How often what goes wrong: chances from 0 to 1."""

    throttled: float = 0.0
    conflict: float = 0.0
    """A transaction meets another one."""
    lost_before: float = 0.0
    """The request never arrives."""
    lost_after: float = 0.0
    """The request is served, its answer is lost."""
    resent: float = 0.0
    """The answer is lost, and the SDK sends the request again."""
    stale: float = 0.0
    """An eventually consistent read sees an item as it was."""
    small_pages: float = 0.0
    left_out: float = 0.0
    """Keys of a batch are left unprocessed."""
    crash: float = 0.0
    """A process dies where it pauses."""
    record_twice: float = 0.0
    """A record of the stream is delivered again."""
    message_twice: float = 0.0
    """The bus or a queue delivers a message again."""
    late: float = 0.0
    """A message is long under way."""
    bus_entry: float = 0.0
    """The bus refuses one entry."""
    bus_call: float = 0.0
    """The bus refuses, or doesn't answer, a whole call."""
    channel: float = 0.0
    """A notification can't be sent."""
    poison: float = 0.0
    """A message that nobody can read is put into a queue."""
    clock: float = 0.0
    """A process's clock is set anew, forward or back."""

    @property
    def doubtful(self) -> bool:
        """Whether somebody may have done something and not know it."""
        return any(
            (self.crash, self.lost_before, self.lost_after, self.resent, self.throttled,
             self.channel)
        )  # fmt: skip


MOST: Final = Rates(
    throttled=0.1, conflict=0.3, lost_before=0.1, lost_after=0.2, resent=0.2, stale=0.7,
    small_pages=0.5, left_out=0.3, crash=0.03, record_twice=0.1, message_twice=0.1, late=0.2,
    bus_entry=0.1, bus_call=0.1, channel=0.2, poison=0.1, clock=0.1,
)  # fmt: skip


def drawn(chance: Random) -> Rates:
    """One seed's mixture."""
    most = {field.name: getattr(MOST, field.name) for field in fields(Rates)}
    return replace(
        Rates(),
        **{name: top * chance.random() for name, top in most.items() if chance.random() < 0.5},
    )


class SimulatedWeather:
    """The weather of one run."""

    def __init__(self, scheduler: Scheduler, rates: Rates) -> None:
        self._scheduler = scheduler
        self._chance = scheduler.chance
        self.rates = self.drawn = rates
        scheduler.crash_rate = rates.crash

    def calm(self) -> None:
        """End every fault."""
        self.rates = Rates()
        self._scheduler.crash_rate = 0.0

    def strikes(self, fault: str) -> bool:
        """Whether a fault happens now; it is counted if it does."""
        rate = getattr(self.rates, fault)
        if not rate or self._chance.random() >= rate:
            return False
        self._scheduler.happened[fault] += 1
        self._scheduler.note(fault)
        return True

    def call(
        self, operation: str, request: Mapping[str, Any], do: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """One call: others may take turns before it is served, and before its answer is there."""
        pause = self._scheduler.pause
        pause(f"{operation} {request.get('TableName', '')}")
        if self.strikes("throttled"):
            raise refused("ProvisionedThroughputExceededException", operation)
        if self.strikes("lost_before"):
            raise no_answer()
        if operation == "TransactWriteItems" and self.strikes("conflict"):
            none = {"Code": "None"}
            raise cancelled(
                [{"Code": "TransactionConflict"}, *[none] * (len(request["TransactItems"]) - 1)]
            )
        if operation not in WRITES:
            return do()
        if self.strikes("resent"):
            self._serve_unheard(do)
            pause(f"{operation} again")
        if self.strikes("lost_after"):
            self._serve_unheard(do)
            pause(f"{operation} unheard")
            raise no_answer()
        answer = do()
        pause(f"{operation} answered")
        return answer

    def _serve_unheard(self, do: Callable[[], dict[str, Any]]) -> None:
        try:
            do()
        except Exception as error:
            self._scheduler.note(type(error).__name__)

    def staleness(self) -> AsOf:
        """Each item as it is, or as it was up to a second or so ago."""
        rate = self.rates.stale
        if not rate:
            return None

        def moment() -> float:
            if self._chance.random() >= rate:
                return self._scheduler.now
            self._scheduler.happened["stale"] += 1
            return self._scheduler.now - self._chance.random()

        return moment

    def page(self) -> int:
        """Items after which a page ends."""
        return self._chance.randint(1, 5) if self.strikes("small_pages") else 10**9

    def left_out(self, keys: int) -> int:
        """How many keys of a batch are left unprocessed."""
        return self._chance.randint(1, keys) if self.strikes("left_out") else 0
