"""The mutation run plants what it says, and one mistake at a time."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from tests.mutation.fates import Fate, Results, explained, table
from tests.mutation.mutants import mutants
from tests.mutation.trials import FEW_PLUGINS, OPTIONS

SOURCE = '''
"""Stays."""
if TYPE_CHECKING: LATER = 1

def covers(free: int, wanted: int = 0) -> bool:
    """Stays."""
    if not free and wanted < 1:
        raise ValueError(free)
    free -= wanted + 2
    return free >= 0

def most(given, key):
    return max(given, key=key) if given else None

def left(lane):
    return int(lane.free, 10)
'''


def test_every_operator_makes_one_mistake() -> None:
    sound = ast.unparse(ast.parse(SOURCE))
    made = list(mutants(SOURCE))
    assert [(mutant.line, mutant.what) for mutant in made] == [
        (5, "0  ->  1"),
        (7, "not free and wanted < 1  ->  not free or wanted < 1"),
        (7, "not free  ->  free"),
        (7, "wanted < 1  ->  wanted <= 1"),
        (7, "1  ->  2"),
        (8, "raise ValueError(free)  ->  pass"),
        (9, "free -= wanted + 2  ->  free += wanted + 2"),
        (9, "free -= wanted + 2  ->  pass"),
        (9, "wanted + 2  ->  wanted - 2"),
        (9, "2  ->  3"),
        (10, "return free >= 0  ->  return None"),
        (10, "free >= 0  ->  free > 0"),
        (10, "0  ->  1"),
        (13, "return max(given, key=key) if given else None  ->  return None"),
        (13, "given  ->  not given"),
        (13, "max(given, key=key)  ->  max(given)"),
        (13, "max  ->  min"),
        (16, "return int(lane.free, 10)  ->  return None"),
        (16, "int(lane.free, 10)  ->  int(10, lane.free)"),
        (16, "lane.free  ->  lane.on_hand"),
        (16, "10  ->  11"),
    ]
    for mutant in made:
        assert mutant.source != sound
        ast.parse(mutant.source)
    assert len({mutant.source for mutant in made}) == len(made)


def test_a_long_change_is_told_from_where_it_is() -> None:
    source = f"x = called({'argument, ' * 20}first=2, last=3)"
    (told,) = (m.what for m in mutants(source) if m.what.endswith("first=2)"))
    before, after = told.split("  ->  ")
    assert before.startswith("...")
    assert before.endswith("first=2, last=3)")
    assert after.startswith("...")


def test_a_mutant_is_known_by_its_place_however_its_line_moves() -> None:
    source = "LEAST = 1\nclass Box:\n    def whole(self) -> int:\n        return 1 + 1\n"
    names = [mutant.name for mutant in mutants(source)]
    assert names == [
        ("-", "1  ->  2", 1),
        ("Box.whole", "return 1 + 1  ->  return None", 1),
        ("Box.whole", "1 + 1  ->  1 - 1", 1),
        ("Box.whole", "1  ->  2", 1),
        ("Box.whole", "1  ->  2", 2),
    ]
    assert [mutant.name for mutant in mutants("\n\n" + source)] == names


def test_results_are_resumed_with_what_survived_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "fates.jsonl"
    killed = Fate("m.py", "f", "1  ->  2", 1, 7, "own", 0.5)
    survived = killed._replace(number=2, fate="survived")
    results = Results(file)
    for fate in (killed, survived):
        results.add(fate)
    assert Results(file).killed == {killed.name: killed}
    Results(file).add(survived._replace(fate="timed out"))
    assert set(Results(file).killed) == {killed.name, survived.name}
    assert Results(None).killed == {}


def test_the_table_counts_fates_by_module() -> None:
    killed = Fate("m.py", "f", "1  ->  2", 1, 7, "own", 0.5)
    rows = table([killed, killed._replace(fate="survived"), killed._replace(module="n.py")])
    assert rows.splitlines()[2:] == [
        "| m.py | 2 | 1 | 0 | 0 | 0 | 1 |",
        "| n.py | 1 | 1 | 0 | 0 | 0 | 0 |",
        "| all | 3 | 2 | 0 | 0 | 0 | 1 |",
    ]


def test_a_reason_is_a_row_with_the_mutants_name() -> None:
    page = """
    | module | mutants | own |
    | m.py | 3 | 2 |

    | module | in | change | why nothing comes of it |
    | --- | --- | --- | --- |
    | `m.py` | `f` | `a \\| b  ->  a & b` | It is *never* a set. |
    """
    killed = Fate("m.py", "f", "a | b  ->  a & b", 1, 7, "own", 0.5)
    assert explained(dedent(page)) == {killed.name[:3]}


def test_the_tests_run_as_the_command_runs_them() -> None:
    """It leaves out a plugin that whole runs have, whose hooks tests/conftest.py knows."""
    command = [sys.executable, "-m", "pytest", *OPTIONS, "tests/unit/domain/test_trusted.py"]
    env = {**os.environ, **FEW_PLUGINS}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
