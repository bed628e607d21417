"""The mutation run plants what it says, and one mistake at a time."""

from __future__ import annotations

import ast

from tests.mutation.mutants import mutants

SOURCE = '''
"""Stays."""

def covers(free: int, wanted: int = 0) -> bool:
    """Stays."""
    if not free and wanted < 1:
        raise ValueError(free)
    free -= wanted + 2
    return free >= 0
'''


def test_every_operator_makes_one_mistake() -> None:
    sound = ast.unparse(ast.parse(SOURCE))
    made = list(mutants(SOURCE))
    assert [(mutant.line, mutant.what) for mutant in made] == [
        (4, "0  ->  1"),
        (6, "not free and wanted < 1  ->  not free or wanted < 1"),
        (6, "not free  ->  free"),
        (6, "wanted < 1  ->  wanted <= 1"),
        (6, "1  ->  2"),
        (7, "raise ValueError(free)  ->  pass"),
        (8, "free -= wanted + 2  ->  free += wanted + 2"),
        (8, "free -= wanted + 2  ->  pass"),
        (8, "wanted + 2  ->  wanted - 2"),
        (8, "2  ->  3"),
        (9, "return free >= 0  ->  return None"),
        (9, "free >= 0  ->  free > 0"),
        (9, "0  ->  1"),
    ]
    for mutant in made:
        assert mutant.source != sound
        ast.parse(mutant.source)
    assert len({mutant.source for mutant in made}) == len(made)
