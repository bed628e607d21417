"""The scripts beside the Terraform configuration, which belong to no package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    """A script of `terraform/scripts`, as a module."""
    path = ROOT / "terraform" / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"terraform_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
