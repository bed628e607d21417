"""Trials: the tests on a copy of the project, in which one module may have a mistake.

Every trial is a fork of a process that has imported what tests need and nothing of the project, so
it costs what the tests cost. The mistake is planted as its module is imported: no file is changed,
and any number of trials share one copy.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import os
import resource
import shutil
import signal
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from multiprocessing import get_context
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = ("api", "ledger", "projections", "tests", "samples", "docs")
IMPORTED_BEFORE: Final = ("eventsourcing.sqlite", "hypothesis.stateful", "pydantic")

WAITING: Final = 10
"""A trial that waits for ever uses no processor: it is ended after so many times its limit."""

Source = tuple[str, str]
"""A module's path in the project, and its source with a mistake."""

FEW_PLUGINS: Final = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
OPTIONS: Final = ("-p", "pytest_timeout", "-p", "no:cacheprovider", "-q", "-x", "--tb=no")
"""What trials need of pytest: the fewer plugins, the sooner they begin."""


class Stage(NamedTuple):
    """Tests that run together, by the examples of a Hypothesis profile."""

    name: str
    tests: tuple[str, ...]
    profile: str


class Trial(NamedTuple):
    """What became of a trial."""

    passed: bool
    ended: bool
    seconds: float
    """Of the processor."""


def copied(folder: Path) -> Path:
    """A copy of the project without its caches."""
    for name in PROJECT:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def prepare() -> None:
    """Import what all trials import, before they are forked."""
    for name in IMPORTED_BEFORE:
        importlib.import_module(name)


def tried(folder: Path, stage: Stage, planted: Source | None, limit: int | None) -> Trial:
    """The stage's tests on the copy, for `limit` seconds of the processor at most.

    Its time is counted, not the clock's, so that a machine that is busy judges as one that is not.
    """
    before = _used()
    process = get_context("fork").Process(target=_test, args=(folder, stage, planted, limit))
    process.start()
    try:
        process.join(limit and WAITING * limit)
        ended = process.exitcode not in (None, -signal.SIGXCPU)
    finally:
        if process.exitcode is None and process.pid is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
    return Trial(process.exitcode == 0, ended, _used() - before)


def _used() -> float:
    """Seconds of the processor that all trials of this process took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _test(folder: Path, stage: Stage, planted: Source | None, limit: int | None) -> None:
    """Be the trial: exits with 0 if every test passes."""
    os.setsid()
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    os.chdir(folder)
    os.environ["HYPOTHESIS_PROFILE"] = stage.profile
    os.environ.update(FEW_PLUGINS)
    sys.path[:] = [str(folder), *(path for path in sys.path if Path(path or ".") != ROOT)]
    for name in [name for name in sys.modules if name.partition(".")[0] in PROJECT]:
        del sys.modules[name]
    if planted is not None:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        sys.meta_path.insert(0, _Planter(folder, *planted))
    os._exit(pytest.main([*OPTIONS, *stage.tests]))


class _Planter(importlib.abc.MetaPathFinder):
    """Finds one module, with a mistake in it."""

    def __init__(self, folder: Path, module: str, source: str) -> None:
        self._name = ".".join(Path(module).with_suffix("").parts).removesuffix(".__init__")
        self._path = str(folder / module)
        self._source = source

    def find_spec(
        self, name: str, path: Any, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        del path, target
        if name != self._name:
            return None
        loader = _Planted(self._name, self._path)
        loader.source = self._source
        return importlib.util.spec_from_file_location(name, self._path, loader=loader)


class _Planted(SourceFileLoader):
    """Loads the module it is told instead of the file's, and leaves no bytecode."""

    source = ""

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.get_filename(fullname), "exec", dont_inherit=True)
