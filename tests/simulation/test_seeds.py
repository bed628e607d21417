"""Two hundred worlds, each with faults of its own: in every one of them every law holds.

A failure names its seed and the command that shows it again: `make simulate SEEDS=17`.
"""

from __future__ import annotations

import pytest

from tests.simulation.simulate import check

SEEDS = 200
PARTS = 8
FAULTS = (
    "throttled", "conflict", "lost_before", "lost_after", "resent", "stale", "small_pages",
    "left_out", "crash", "record_twice", "message_twice", "late", "bus_entry", "bus_call",
    "channel", "poison", "clock",
)  # fmt: skip


@pytest.mark.parametrize("part", range(PARTS))
def test_every_law_holds_in_every_world(part: int) -> None:
    happened = check(range(part, SEEDS, PARTS))

    idle = [fault for fault in FAULTS if not happened[fault]]
    assert not idle, "a fault that never happens tests nothing"
    assert happened["events"] > 25 * 20
    assert happened["generation switched"] > 10
    assert happened["split"] > 10
    assert happened["order to split"] > 10
