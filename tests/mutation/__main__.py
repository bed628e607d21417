"""`python -m tests.mutation [--sample N] [--seed S] [MODULE ...]`: plant mistakes, run the tests.

One mistake at a time is planted into a copy of the project, and the tests that should find it are
run. A mutant is killed when they fail, or don't come to an end. Survivors are listed;
docs/mutation.md says what became of those of the last run.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from tests.mutation.mutants import Mutant, mutants

ROOT: Final = Path(__file__).parents[2]
DOMAIN: Final = tuple(
    str(path.relative_to(ROOT)) for path in sorted((ROOT / "ledger" / "domain").rglob("*.py"))
)
RUNNER: Final = ("projections/runner.py", "projections/work.py")
TESTS: Final = dict.fromkeys(
    RUNNER, ("tests/integration/test_runner.py", "tests/property/test_delivery.py")
)
DOMAIN_TESTS: Final = (
    "tests/unit/ledger",
    "tests/property/test_allocation.py",
    "tests/property/test_large_orders.py",
    "tests/property/test_backorders.py",
    "tests/property/test_ledger_machine.py",
    "tests/property/test_lanes.py",
    "tests/property/test_lanes_machine.py",
)
TIMEOUT_SECONDS: Final = 240.0


def main() -> None:
    """Run the mutants that were asked for, and print what became of each."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", default=[*DOMAIN, *RUNNER], metavar="MODULE")
    parser.add_argument("--sample", type=int, help="so many of all mutants, chosen by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="begin no other after so long")
    arguments = parser.parse_args()
    every = [
        (module, mutant)
        for module in arguments.modules
        for mutant in mutants((ROOT / module).read_text(encoding="utf-8"))
    ]
    chosen = random.Random(arguments.seed).sample(every, arguments.sample or len(every))
    deadline = time.monotonic() + 60 * arguments.minutes
    fates: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        copied = _copied(Path(name))
        for module, mutant in chosen:
            if time.monotonic() > deadline:
                break
            fate = _fate(copied, module, mutant)
            fates[fate] += 1
            print(f"{fate:9} {module}:{mutant.line}  {mutant.what}", flush=True)
    print(f"{len(every)} mutants, {fates.total()} tried: {dict(fates)}")


def _copied(folder: Path) -> Path:
    """The project without its caches."""
    for name in ("api", "ledger", "projections", "tests", "samples", "docs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _fate(folder: Path, module: str, mutant: Mutant) -> str:
    path = folder / module
    sound = path.read_text(encoding="utf-8")
    path.write_text(mutant.source, encoding="utf-8")
    try:
        return _tested(folder, TESTS.get(module, DOMAIN_TESTS))
    finally:
        path.write_text(sound, encoding="utf-8")


def _tested(folder: Path, tests: tuple[str, ...]) -> str:
    options = ("-p", "no:cacheprovider", "-q", "-x", "--no-header", "--tb=no")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return "survived" if process.wait(TIMEOUT_SECONDS) == 0 else "killed"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "timed out"


if __name__ == "__main__":
    main()
