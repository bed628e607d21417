"""Every planted bug is found within a few seeds, and the law it breaks is named."""

from __future__ import annotations

import pytest

from tests.simulation.judge.accounts import ESCROWED, FIFO
from tests.simulation.judge.findings import LawBroken
from tests.simulation.judge.judge import FEED, STARVED
from tests.simulation.judge.promises import MEANT, ONCE, REFUSED, REMEMBERED
from tests.simulation.judge.tellings import TOLD
from tests.simulation.judge.views import FOLD
from tests.simulation.planted import PLANTED
from tests.simulation.simulate import run
from tests.simulation.world.readers import MONOTONIC
from tests.simulation.world.services import ALONE

PATIENCE = 100
"""Seeds within which a bug must be found; most are within the first."""

BROKEN = {
    "no-version-gate": {FOLD, MONOTONIC},
    "no-gap-refill": {FOLD, STARVED},
    "refusal-on-cached-state": {REMEMBERED},
    "acknowledge-before-write": {FOLD, TOLD, FEED, STARVED},
    "new-key-on-retry": {ONCE, REFUSED},
    "promotion-skips-the-head": {FIFO},
    "scan-before-consumers-know": {FOLD},
    "key-outside-the-transaction": {ONCE, MEANT},
    "failed-entries-ignored": {FOLD, TOLD, FEED, STARVED},
    "checkpoint-before-delivery": {FOLD, TOLD, FEED, STARVED},
    "marked-before-sent": {TOLD},
    "sequencing-on-stale-heads": {FEED},
    "poison-blocks-its-batch": {ALONE},
    "commit-in-parts": {"a commit is atomic"},
    "refusal-after-one-lane": {REMEMBERED},
    "escrow-in-two-commits": {"a commit is atomic", ESCROWED},
    "queue-beside-open-lanes": {FIFO},
}
"""The laws that each bug breaks: one of them must be named."""


def test_every_bug_has_its_laws() -> None:
    assert BROKEN.keys() == PLANTED.keys()


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_bug_is_found_and_the_broken_law_is_named(name: str) -> None:
    for seed in range(PATIENCE):
        with PLANTED[name]():
            ran, _ = run(seed)
        if isinstance(ran.failure, LawBroken) and ran.failure.law in BROKEN[name]:
            assert f"make simulate SEEDS={seed}" in ran.told
            assert ran.failure.law in ran.told
            return
    pytest.fail(f"{name} was not found within {PATIENCE} seeds")
