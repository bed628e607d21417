"""A seed decides everything: the same one does the same again, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.simulation.simulate import run

ROOT = Path(__file__).parents[2]
SEEDS = range(40, 46)
TRACES = """
from tests.simulation.simulate import run
for seed in range({}, {}):
    print(run(seed)[0].trace)
"""


def test_a_seed_does_the_same_again() -> None:
    first = [run(seed)[0].trace for seed in SEEDS]

    assert [run(seed)[0].trace for seed in reversed(SEEDS)] == first[::-1]
    assert len(set(first)) == len(SEEDS)


def test_a_seed_does_the_same_in_processes_that_hash_otherwise() -> None:
    here = [run(seed)[0].trace for seed in SEEDS]
    for hash_seed in ("0", "1", "4242"):
        told = subprocess.run(
            [sys.executable, "-c", TRACES.format(SEEDS.start, SEEDS.stop)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.split() == here, hash_seed
