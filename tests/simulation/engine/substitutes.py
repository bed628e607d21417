"""Time, chance and threads of the product, replaced by the simulator's for one run.

Most of the product is handed its clock and its ids. What it takes from the standard library by
itself is found in its modules, and in the defaults of their functions, and replaced there.
"""

from __future__ import annotations

import importlib
import random
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pkgutil import walk_packages
from types import FunctionType
from typing import Any, Final

import ledger
import projections
from ledger.service.clock import utc_now
from tests.simulation.engine.scheduler import Scheduler

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCT: Final = ("ledger.", "projections.")
EDGES: Final = ("ledger.cli", "projections.handlers", "projections.pump")
"""What runs the product on a machine or in a function; the simulator does it here."""

_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")

Place = tuple[dict[str, Any], str, str]
"""Where something is to be replaced (a namespace and a name in it), and the stand-in's name."""


class SimulatedTime:
    """What a module has as `time`."""

    def __init__(self, scheduler: Scheduler, clock: Callable[[], datetime]) -> None:
        self._scheduler = scheduler
        self._clock = clock

    def time(self) -> float:
        """The present process's idea of the time."""
        return self._clock().timestamp()

    def monotonic(self) -> float:
        """Seconds since the run began."""
        return self._scheduler.now

    perf_counter = monotonic

    def sleep(self, seconds: float) -> None:
        """Let the others go on."""
        self._scheduler.sleep(seconds)


class InlineExecutor:
    """What a module has as `ThreadPoolExecutor`: works at once, in an order that chance decides."""

    chance: random.Random

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> InlineExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        """Work at once; a crash is not kept in the future, but happens."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(self, work: Callable[..., Any], *parts: Iterable[Any]) -> Iterator[Any]:
        """The results in the parts' order, though the work was done in another."""
        todo = list(zip(*parts, strict=False))
        # What came from a set is put in order first; where an object lies in memory is no order.
        order = sorted(range(len(todo)), key=lambda n: _ADDRESS.sub("", repr(todo[n])))
        self.chance.shuffle(order)
        done = {n: work(*todo[n]) for n in order}
        return iter([done[n] for n in range(len(todo))])

    def shutdown(self, *_: Any, **__: Any) -> None:
        """There are no threads."""


def _completed(futures: Iterable[Future[Any]], *_: Any, **__: Any) -> Iterator[Future[Any]]:
    """What a module has as `as_completed`: all are done, in the order they were submitted."""
    return iter(list(futures))


@contextmanager
def substituted(scheduler: Scheduler, clock: Callable[[], datetime]) -> Iterator[None]:
    """The product runs on the scheduler's time, chance and turns. `clock` is the process's."""
    simulated = SimulatedTime(scheduler, clock)
    chance = scheduler.chance
    stand_ins: dict[str, Any] = {
        "time": simulated,
        "time.time": simulated.time,
        "time.monotonic": simulated.monotonic,
        "time.perf_counter": simulated.perf_counter,
        "time.sleep": simulated.sleep,
        "random": chance,
        "random.uniform": chance.uniform,
        "random.random": chance.random,
        "uuid4": lambda: uuid.UUID(int=chance.getrandbits(128), version=4),
        "executor": type("Executor", (InlineExecutor,), {"chance": chance}),
        "as_completed": _completed,
        "utc_now": clock,
    }
    _import_everything()
    places = [place for name in _modules() for place in _places(name)]
    loaded = len(sys.modules)
    kept = [(namespace, name, namespace[name]) for namespace, name, _ in places]
    try:
        for namespace, name, stand_in in places:
            namespace[name] = stand_ins[stand_in]
        yield
    finally:
        for namespace, name, original in reversed(kept):
            namespace[name] = original
        late = [name for name in list(sys.modules)[loaded:] if name.startswith(PRODUCT)]
        assert not late, f"imported while time was simulated, and bound to it for good: {late}"


def moment(seconds: float) -> datetime:
    """The instant some seconds into the run."""
    return START + timedelta(seconds=seconds)


_ORIGINALS: Final[tuple[tuple[Any, str], ...]] = (
    (time, "time"),
    (time.time, "time.time"),
    (time.monotonic, "time.monotonic"),
    (time.perf_counter, "time.perf_counter"),
    (time.sleep, "time.sleep"),
    (random, "random"),
    (random.uniform, "random.uniform"),
    (random.random, "random.random"),
    (uuid.uuid4, "uuid4"),
    (ThreadPoolExecutor, "executor"),
    (as_completed, "as_completed"),
    (utc_now, "utc_now"),
)


@cache
def _import_everything() -> None:
    """Import the product, so that nothing is imported with its time replaced."""
    for package in (ledger, projections):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.startswith(EDGES):
                importlib.import_module(found.name)


@cache
def _modules() -> list[str]:
    return sorted(name for name in sys.modules if name.startswith(PRODUCT))


@cache
def _places(module: str) -> tuple[Place, ...]:
    """Every place of a module where time, chance or threads come from."""
    found: list[Place] = []
    content = vars(sys.modules[module])
    for name, value in content.items():
        found += _place(content, name, value)
        if getattr(value, "__module__", None) == module:
            functions = [value, *vars(value).values()] if isinstance(value, type) else [value]
            for function in functions:
                if isinstance(function, FunctionType) and function.__kwdefaults__:
                    defaults = function.__kwdefaults__
                    for default in defaults:
                        found += _place(defaults, default, defaults[default])
    return tuple(found)


def _place(namespace: dict[str, Any], name: str, value: Any) -> list[Place]:
    return [
        (namespace, name, stand_in)
        for original, stand_in in _ORIGINALS
        if value is original or (value == original and isinstance(original, type(time.sleep)))
    ]
