"""Without Terraform the configuration can't be checked, and the end of the report says so."""

from __future__ import annotations

import pytest

from tests.infra.loading import script


def _missing() -> str | None:
    """Why Terraform can't check the configuration; None if it can."""
    check = script("check")
    try:
        check.terraform()
    except check.TerraformMissing as missing:
        return str(missing)
    return None


MISSING = _missing()
collect_ignore = [] if MISSING is None else ["test_configurations.py", "test_deployment.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MISSING is not None:
        terminalreporter.section("no Terraform")
        terminalreporter.line(f"Nothing of Terraform was checked, nothing deployed: {MISSING}.")
