"""Reads a Dockerfile, and follows the steps of its build without a Docker engine.

Only what this project's Dockerfile uses is understood; anything else is an error, so that a new
kind of step can't be passed over in silence.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

UNDERSTOOD: Final = {"ARG", "CMD", "COPY", "ENV", "FROM", "LABEL", "RUN", "USER", "WORKDIR"}


@dataclass(slots=True)
class Stage:
    """One stage of a build: what it is based on, and its steps."""

    base: str
    name: str | None
    steps: list[tuple[str, str]] = field(default_factory=list)

    def values(self, instruction: str) -> list[str]:
        """The arguments of every step of a kind."""
        return [argument for kind, argument in self.steps if kind == instruction]


def stages(dockerfile: Path) -> list[Stage]:
    """The stages of a Dockerfile, in their order."""
    found: list[Stage] = []
    for line in _lines(dockerfile.read_text(encoding="utf-8")):
        kind, argument = line.split(maxsplit=1)
        assert kind in UNDERSTOOD, f"what does {kind} do?"
        if kind == "FROM":
            words = argument.split()
            assert len(words) == 1 or words[1] == "AS", argument
            found.append(Stage(words[0], words[2] if len(words) == 3 else None))
        else:
            found[-1].steps.append((kind, argument))
    return found


def _lines(text: str) -> Iterator[str]:
    """The instructions, each on one line."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    return (line for line in text.replace("\\\n", " ").splitlines() if line.strip())


def build(stage: Stage, source: Path, context: Path, *, root: Path, cache: Path) -> None:
    """Follow the steps of a stage: copy from `source`, run in `context`.

    What the first command left behind is kept in the cache, as docker does, and taken again as
    long as the command and the files it was given are the same: it is the one that takes long.

    Parameters
    ----------
    root
        Where the stage says `/var/task`.
    """
    context.mkdir()
    root.mkdir()
    first = True
    for kind, argument in stage.steps:
        words = shlex.split(argument)
        if kind == "COPY":
            assert len(words) == 2, "one at a time, as docker's rules for more are its own"
            _copy(source / words[0], context / words[1])
        elif kind == "RUN" and first:
            first = False
            layer = cache / _digest(argument, context)
            if not layer.exists():
                _run(words, context, root)
                _keep(root, layer)
            else:
                shutil.copytree(layer, root, dirs_exist_ok=True)
        elif kind == "RUN":
            _run(words, context, root)
        else:
            assert kind == "WORKDIR", f"{kind} in a stage that builds"


def _run(words: list[str], context: Path, root: Path) -> None:
    subprocess.run(
        [str(root) if word == "/var/task" else word for word in words],
        cwd=context,
        env={**os.environ, "PYTHON": sys.executable},
        check=True,
    )


def _digest(command: str, context: Path) -> str:
    """What the outcome of a command depends on."""
    files = sorted(path for path in context.rglob("*") if path.is_file())
    parts = [(str(file.relative_to(context)), file.read_bytes()) for file in files]
    return hashlib.sha256(repr((sys.version, command, parts)).encode()).hexdigest()


def _keep(root: Path, layer: Path) -> None:
    """Copy what is there into the cache, unless another process was faster with the same."""
    layer.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=layer.parent) as scratch, suppress(OSError):
        shutil.copytree(root, Path(scratch, "root")).rename(layer)


def _copy(original: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if original.is_dir():
        shutil.copytree(original, target, ignore=shutil.ignore_patterns("__pycache__", "*.py[cod]"))
    else:
        shutil.copy2(original, target)
