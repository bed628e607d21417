"""What the tests of the command line share."""

from __future__ import annotations

import re
from dataclasses import dataclass

from typer.testing import CliRunner

from ledger.cli.app import app

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed, without colours."""

    stdout: str
    stderr: str


def run(*arguments: object, code: int = 0) -> Printed:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return Printed(_COLOUR.sub("", result.stdout), _COLOUR.sub("", result.stderr))


def error_of(*arguments: object, code: int = 2) -> str:
    """The one line a failing command prints."""
    printed = run(*arguments, code=code)
    assert printed.stdout == ""
    (line,) = printed.stderr.splitlines()
    assert line.startswith("Error: ")
    return line
