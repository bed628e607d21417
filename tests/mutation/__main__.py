"""`python -m tests.mutation [--jobs N] [--resume FILE] [MODULE ...]`: plant mistakes, then test.

One mistake at a time is planted into a copy of the project, and the tests that should find it are
run, stage by stage (`stages`). A mutant is killed when a test fails, or the tests don't come to an
end. Ends with 1 if one survives that docs/mutation.md gives no reason for.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tests.mutation.fates import SURVIVED, Fate, Results, explained, table
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.stages import MODULES, stages_of
from tests.mutation.trials import ROOT, Stage, copied, prepare, tried

LEAST_SECONDS = 10
LONGER = 5
"""Tests that take so many times as long as without a mistake don't come to an end."""

Limits = dict[Stage, int]
"""Seconds of the processor."""


def main() -> None:
    """Run the mutants that were asked for, and print what became of each."""
    arguments = _arguments()
    every = [
        (module, mutant)
        for module in arguments.modules
        for mutant in mutants((ROOT / module).read_text(encoding="utf-8"))
    ]
    chosen = random.Random(arguments.seed).sample(every, arguments.sample or len(every))
    results = Results(arguments.resume)
    fates = [fate for named in chosen if (fate := results.killed.get((named[0], *named[1].name)))]
    done = {fate.name for fate in fates}
    prepare()
    with tempfile.TemporaryDirectory() as name:
        folder = copied(Path(name))
        limits = proven(folder, sorted({module for module, _ in chosen}))
        with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("fork")) as pool:
            futures: list[Future[Fate]] = [
                pool.submit(fate_of, folder, module, mutant, limits)
                for module, mutant in chosen
                if (module, *mutant.name) not in done
            ]
            try:
                for future in as_completed(futures, timeout=60 * arguments.minutes):
                    fates.append(future.result())
                    results.add(fates[-1])
                    print(fates[-1], flush=True)
            except TimeoutError:
                print(f"stopped after {arguments.minutes} minutes")
            finally:
                pool.shutdown(cancel_futures=True)
    print(table(fates))
    print(f"{len(fates)} of {len(every)} mutants were tried")
    reasons = explained((ROOT / "docs/mutation.md").read_text(encoding="utf-8"))
    news = [fate for fate in fates if fate.fate == SURVIVED and fate.name[:3] not in reasons]
    if news:
        sys.exit("\n".join(["survived without a reason in docs/mutation.md:", *map(str, news)]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    parser.add_argument("--sample", type=int, help="so many of all mutants, chosen by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time")
    parser.add_argument("--minutes", type=float, default=600, help="begin no other after so long")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="add to FILE; skip what was killed there"
    )
    return parser.parse_args()


def proven(folder: Path, modules: list[str]) -> Limits:
    """How long each stage may take: proves that tests pass, and notice a module that is broken."""
    limits: Limits = {}
    for module in modules:
        for stage in stages_of(module):
            if stage not in limits:
                sound = tried(folder, stage, None, None)
                print(f"without a mistake: {sound.seconds:6.1f} s  {' '.join(stage.tests)}")
                if not sound.passed:
                    sys.exit("the tests fail without a mistake: nothing can be learned from them")
                limits[stage] = max(LEAST_SECONDS, math.ceil(LONGER * sound.seconds))
        own = stages_of(module)[0]
        if tried(folder, own, (module, "raise AssertionError"), limits[own]).passed:
            sys.exit(f"{own.tests} pass without {module}: nothing can be learned from it")
    return limits


def fate_of(folder: Path, module: str, mutant: Mutant, limits: Limits) -> Fate:
    """Try a mutant, stage by stage, until one kills it."""
    seconds, fate = 0.0, SURVIVED
    for stage in stages_of(module):
        trial = tried(folder, stage, (module, mutant.source), limits[stage])
        seconds += trial.seconds
        if not trial.passed:
            fate = stage.name if trial.ended else "timed out"
            break
    return Fate(module, *mutant.name, mutant.line, fate, round(seconds, 1))


if __name__ == "__main__":
    main()
