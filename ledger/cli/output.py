"""What the commands print, and how they fail: one line that names the input and the fix."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Final, NoReturn, ParamSpec, TypeVar

import typer
from eventsourcing.persistence import PersistenceError
from rich.console import Console
from rich.text import Text

from ledger.codec import CorruptEvent
from ledger.domain.errors import LawBroken
from ledger.errors import Contention, LeaseUnreadable, NotTheWriter, UnknownOutcome
from ledger.importing import InputError
from ledger.settings import BadSettings
from projections.runner import EventsMissing
from projections.store.base import ViewStoreBusy

OK: Final = 0
FINDING: Final = 1
UNUSABLE: Final = 2
INTERRUPTED: Final = 130

PIPED_WIDTH: Final = 140

AWS_CHECK: Final = (
    "Check --store, and what boto3 was told: the Region (AWS_REGION), who asks (AWS_PROFILE, "
    "AWS_ACCESS_KEY_ID), and on an emulator AWS_ENDPOINT_URL."
)

P = ParamSpec("P")
R = TypeVar("R")


def out() -> Console:
    """The console of results; piped output isn't squeezed into the width of a terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def err() -> Console:
    """The console of progress and errors."""
    return Console(stderr=True, highlight=False)


def fail(message: str, code: int = UNUSABLE) -> NoReturn:
    """End the command with one line on standard error."""
    err().print(Text.assemble(("Error: ", "bold red"), message), soft_wrap=True)
    raise typer.Exit(code)


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """The command, failing with one line instead of a stack trace."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with _one_line():
            return command(*args, **kwargs)

    return run


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        fail(
            "interrupted. What was recorded stands; the same command goes on from there.",
            INTERRUPTED,
        )
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python would complain when it flushes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(OK) from None
    except (InputError, BadSettings) as error:
        fail(str(error))
    except NotTheWriter as error:
        where = f"in {error.region}" if error.region else "where `ledger lease` shows it open"
        fail(f"this Region does not write. Run the same command {where}.")
    except LeaseUnreadable as error:
        fail(f"{error}. See `ledger lease`.")
    except (Contention, UnknownOutcome) as error:
        fail(f"the store is busy: {error}. Run the same command again: it goes on.")
    except (CorruptEvent, EventsMissing, LawBroken) as error:
        fail(f"{error}. `ledger verify` tells what else is wrong.", FINDING)
    except (PersistenceError, ViewStoreBusy, sqlite3.Error, OSError) as error:
        check = AWS_CHECK if _of_aws(error.__cause__) else "Check --store and the file's rights."
        fail(f"the store or a file can't be used: {_said(error)}. {check}")
    except Exception as error:
        if not _of_aws(error):
            raise
        fail(f"AWS can't be used: {_said(error)}. {AWS_CHECK}")


def _said(error: BaseException) -> str:
    return str(error).rstrip(".")


def _of_aws(error: BaseException | None) -> bool:
    """Whether boto3 raised it. Who has not loaded it by now did not call it."""
    exceptions = sys.modules.get("botocore.exceptions")
    if exceptions is None:
        return False
    if isinstance(error, ValueError) and str(error).startswith("Invalid endpoint: "):
        return True
    return isinstance(error, (exceptions.BotoCoreError, exceptions.ClientError))
