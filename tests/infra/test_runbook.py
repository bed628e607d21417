"""Every alarm finds its section in the runbook: the alarm's text links to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ALARMS: Final = ROOT / "terraform" / "modules" / "observability" / "alarms.tf"


def test_every_alarm_has_its_section() -> None:
    named = re.findall(r'"([a-z-]+)(?::\$\{\w+\})?" *=>? *merge\(local\.minute', ALARMS.read_text())
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    alarms = runbook.partition("## The alarms\n")[2].partition("## What to do\n")[0]
    assert len(named) > 10
    assert set(named) <= set(re.findall(r"^### ([a-z-]+)$", alarms, re.MULTILINE))
