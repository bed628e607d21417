"""Runs seeds: `python -m tests.simulation SEEDS [BUG]`, which is what `make simulate` does."""

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

from tests.simulation.engine.scheduler import Endless
from tests.simulation.judge.findings import LawBroken
from tests.simulation.judge.judge import judge, judge_history
from tests.simulation.planted import PLANTED
from tests.simulation.world.world import World

RECENT: Final = 80
"""Events of a failed run that are shown."""


@dataclass(frozen=True)
class Ran:
    """What a seed's run came to."""

    seed: int
    trace: str
    happened: Counter[str]
    failure: BaseException | None

    @property
    def told(self) -> str:
        """The failure and the one command that shows it again."""
        kind = "" if self.failure is None else type(self.failure).__name__
        return f"seed {self.seed} failed: {kind}: {self.failure}\n  make simulate SEEDS={self.seed}"


def run(seed: int, *, recent: int = 0) -> tuple[Ran, World]:
    """Run one seed and judge it; never raises what the world or the judge raised."""
    world = World(seed)
    world.scheduler.recent = recent
    failure: BaseException | None = None
    try:
        with world.in_force():
            world.run()
            judge(world)
    except Endless as endless:
        failure = _cause(world, endless)
    except Exception as error:
        failure = error
    for table in world.database.tables.values():
        for write in table.stream:
            world.scheduler.note(f"{write.at} {write.new}")
    happened = Counter(world.scheduler.happened)
    happened.update(
        turns=world.scheduler.turns,
        events=world.events_stored,
        commands=sum(len(writer.journal) for writer in world.writers),
        notifications=len(world.told),
        reads=len(world.seen),
        seconds=int(world.scheduler.now),
    )
    return Ran(seed, world.scheduler.trace, happened, failure), world


def _cause(world: World, endless: Endless) -> Exception:
    """Why a world doesn't come to rest, if its history tells."""
    try:
        judge_history(world)
    except LawBroken as broken:
        return broken
    return endless


def check(seeds: Iterable[int]) -> Counter[str]:
    """Run seeds; what happened in all of them.

    Raises
    ------
    AssertionError
        A seed failed; it says which, why, and the command that shows it again.
    """
    total: Counter[str] = Counter()
    for seed in seeds:
        ran, _ = run(seed)
        if ran.failure is not None:
            raise AssertionError(ran.told) from ran.failure
        total += ran.happened
    return total


def main(arguments: Sequence[str]) -> int:
    """Run the seeds that are asked for; 1 if one failed."""
    first, _, last = (arguments[0] if arguments else "0-200").partition("-")
    bug = arguments[1] if len(arguments) > 1 else ""
    if bug and bug not in PLANTED:
        print(f"{bug!r} is no planted bug; there are: {', '.join(sorted(PLANTED))}")
        return 2
    seeds = range(int(first), int(last)) if last else range(int(first), int(first) + 1)
    started, total, failed = time.process_time(), Counter[str](), 0
    for seed in seeds:
        with PLANTED[bug]() if bug else nullcontext():
            ran, world = run(seed, recent=RECENT)
        total += ran.happened
        if ran.failure is not None:
            failed += 1
            suffix = f" BUG={bug}" if bug else ""
            print(f"{ran.told}{suffix}")
            if len(seeds) == 1:
                _show(ran.failure, world)
    seconds = time.process_time() - started
    print(f"{len(seeds)} seeds in {seconds:.1f} s of processor time, {failed} failed.")
    print("What happened in all of them:")
    for what, times in sorted(total.items()):
        print(f"  {times:>9} {what}")
    return 1 if failed else 0


def _show(failure: BaseException, world: World) -> None:
    """All there is to know of one failure."""
    print("\nThe last that happened:")
    for line in world.scheduler.tail:
        print(f"  {line}")
    print(f"\nFaults: {world.weather.drawn}\n")
    traceback.print_exception(failure, file=sys.stdout)
