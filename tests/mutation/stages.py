"""Which modules are judged, by which tests, in which order."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from tests.mutation.trials import ROOT, Stage

DOMAIN: Final = "ledger/domain"
RUNNER: Final = ("projections/runner.py", "projections/work.py")
MODULES: Final = (
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / DOMAIN).rglob("*.py"))),
    *RUNNER,
)
PROFILE: Final = "mutation"
"""The Hypothesis profile (tests/conftest.py): fewer examples, the same ones every time."""

_RUNNER_STAGES: Final = (
    Stage("own", ("tests/unit/projections/test_runner.py",), PROFILE),
    Stage("unit", ("tests/integration/test_runner.py",), PROFILE),
    Stage("property", ("tests/property/test_delivery.py",), PROFILE),
)
_DOMAIN_UNIT: Final = Stage("unit", ("tests/unit/domain",), PROFILE)
_DOMAIN_PROPERTY: Final = Stage(
    "property",
    (
        "tests/property/test_allocation.py",
        "tests/property/test_lanes.py",
        "tests/property/test_lanes_ledger.py",
        "tests/property/test_backorders.py",
        "tests/property/test_ledger_machine.py",
        "tests/property/test_large_orders.py",
        "tests/property/test_lanes_machine.py",
    ),
    PROFILE,
)


def stages_of(module: str) -> tuple[Stage, ...]:
    """A module's stages, the fastest first: its own unit tests, those beside it, properties."""
    if module in RUNNER:
        return _RUNNER_STAGES
    noun = PurePath(module).relative_to(DOMAIN).parts[0].removesuffix(".py")
    own = sorted((ROOT / "tests/unit/domain").glob(f"test_{noun}*.py"))
    named = tuple(str(path.relative_to(ROOT)) for path in own)
    return (Stage("own", named, PROFILE), _DOMAIN_UNIT, _DOMAIN_PROPERTY)
