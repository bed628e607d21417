"""A deterministic scheduler: tasks that take turns, a clock that only they move, one seed.

A task runs until it pauses or sleeps; who runs next is drawn from the seed. The clock moves a
little with every turn, and to the next sleeper when nobody else can run: hours take no time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped]

TURN_SECONDS: Final = 0.001
"""How far the clock moves with every turn."""

MOST_TURNS: Final = 30_000
"""Turns after which a run is called endless."""


class Crash(BaseException):
    """The process dies here: nothing in it may catch this."""


class Endless(Exception):
    """The tasks don't come to rest."""


class Task:
    """One line of execution. `mortal` tasks may crash wherever they pause."""

    def __init__(self, name: str, run: Callable[[], None], weight: float) -> None:
        self.name = name
        self.weight = weight
        self.wake_at = 0.0
        self.mortal = False
        self.crashed = False
        """Whether it is on its way out: nothing it still tries may succeed."""
        self.greenlet = greenlet(run)


class Scheduler:
    """Runs tasks one at a time, in an order that the seed alone decides."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.now = 0.0
        self.turns = 0
        self.crash_rate = 0.0
        self.happened: Counter[str] = Counter()
        self.tail: list[str] = []
        """The last things that happened, for whoever looks into a failure."""
        self.recent = 0
        """How many of them to keep; 0 keeps none."""
        self._tasks: list[Task] = []
        self._hub: greenlet | None = None
        self._current: Task | None = None
        self._stopped = False
        self._trace = hashlib.sha256()

    @property
    def trace(self) -> str:
        """A digest of all that happened, in its order."""
        return self._trace.hexdigest()

    @property
    def current(self) -> Task | None:
        """The task whose turn it is."""
        return self._current

    def spawn(self, name: str, run: Callable[[], None]) -> Task:
        """Add a task; some are slower than others."""
        task = Task(name, run, self.chance.choice((0.3, 1.0, 1.0, 2.0)))
        self._tasks.append(task)
        return task

    def note(self, what: str) -> None:
        """Make something part of the trace."""
        name = self._current.name if self._current is not None else "-"
        line = f"{self.now:.3f} {name} {what}"
        self._trace.update(line.encode() + b"\n")
        if self.recent:
            self.tail.append(line)
            del self.tail[: -self.recent]

    def pause(self, what: str) -> None:
        """Let others take turns; the place where a mortal task may die."""
        if self._stopped:
            raise GreenletExit
        task = self._current
        if task is None or self._hub is None or getcurrent() is not task.greenlet:
            return
        if task.crashed:
            raise Crash
        self._hub.switch()
        self.note(what)
        if task.mortal and self.chance.random() < self.crash_rate:
            task.crashed = True
            self.happened["crash"] += 1
            self.note("crash")
            raise Crash

    def sleep(self, seconds: float) -> None:
        """Take no turn for some time."""
        if self._current is None and not self._stopped:
            self.now += seconds
            return
        if self._current is not None:
            self._current.wake_at = self.now + max(0.0, seconds)
        self.pause("sleep")

    def run(self, done: Callable[[], bool]) -> None:
        """Run until `done`, asked between turns, or until no task is left.

        Raises
        ------
        Endless
            There were too many turns.
        """
        self._hub = getcurrent()
        try:
            while self._tasks and not done():
                self._turn(self._draw())
                if self.turns > MOST_TURNS:
                    raise Endless(f"{self.turns} turns, and no end in sight")
        finally:
            self._hub = self._current = None

    def _draw(self) -> Task:
        ready = [task for task in self._tasks if task.wake_at <= self.now]
        if not ready:
            self.now = min(task.wake_at for task in self._tasks)
            ready = [task for task in self._tasks if task.wake_at <= self.now]
        if len(ready) == 1:
            return ready[0]
        return self.chance.choices(ready, [task.weight for task in ready])[0]

    def _turn(self, task: Task) -> None:
        self.turns += 1
        self.now += TURN_SECONDS
        self._current = task
        try:
            task.greenlet.switch()
        finally:
            self._current = None
            if task.greenlet.dead:
                self._tasks.remove(task)

    def stop(self) -> None:
        """Kill every task that is left; nothing that one still tries succeeds."""
        self._stopped = True
        for task in self._tasks:
            task.greenlet.throw()
        self._tasks.clear()
        self._stopped = False
