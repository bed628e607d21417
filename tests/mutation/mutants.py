"""Mutants: a module's source with one small mistake in it."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple


class Mutant(NamedTuple):
    """A module with one mistake."""

    line: int
    place: str
    """The function or class it is in; `-` outside of any."""
    what: str
    """The node before and after."""
    number: int
    """Which of several such changes in the place, from 1."""
    source: str

    @property
    def name(self) -> tuple[str, str, int]:
        """What it is known by in its module, also when lines move."""
        return self.place, self.what, self.number


Change = Callable[[ast.AST], ast.AST | None]
"""The node to have in a node's place; None if the operator has nothing to change."""

_COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
}


def _comparison(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Compare) or type(node.ops[0]) not in _COMPARED:
        return None
    other = copy.copy(node)
    other.ops = [_COMPARED[type(node.ops[0])](), *node.ops[1:]]
    return other


def _arithmetic(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.BinOp | ast.AugAssign) or type(node.op) not in _COMPUTED:
        return None
    other = copy.copy(node)
    other.op = _COMPUTED[type(node.op)]()
    return other


def _boolean(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.BoolOp):
        other = copy.copy(node)
        other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return other
    return node.operand if isinstance(node, ast.UnaryOp) else None


def _constant(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, int):
        return None
    flipped = not node.value if isinstance(node.value, bool) else node.value + 1
    return ast.Constant(flipped)


def _return(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Return) or node.value is None:
        return None
    if isinstance(node.value, ast.Constant) and node.value.value is None:
        return None
    return ast.Return(ast.Constant(None))


def _removal(node: ast.AST) -> ast.AST | None:
    stays = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    removable = isinstance(node, ast.Expr | ast.AugAssign | ast.Raise | ast.Break | ast.Continue)
    return ast.Pass() if removable and not stays else None


OPERATORS: Final[tuple[Change, ...]] = (
    _comparison,
    _arithmetic,
    _boolean,
    _constant,
    _return,
    _removal,
)


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module. Annotations are left alone: nothing is computed from them."""
    tree = ast.parse(source)
    seen: Counter[tuple[str, str]] = Counter()
    for place, parent, name, index, node in _computed(tree, ()):
        for operator in OPERATORS:
            other = operator(node)
            if other is None:
                continue
            _put(parent, name, index, other)
            what = f"{_text(node)}  ->  {_text(other)}"
            seen[place, what] += 1
            mutated = ast.unparse(ast.fix_missing_locations(tree))
            yield Mutant(node.lineno, place, what, seen[place, what], mutated)
            _put(parent, name, index, node)


def _computed(
    node: ast.AST, scope: tuple[str, ...]
) -> Iterator[tuple[str, ast.AST, str, int | None, ast.expr | ast.stmt]]:
    """Every statement and expression that runs, with where it stands."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        scope = (*scope, node.name)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.expr | ast.stmt):
                yield ".".join(scope) or "-", node, name, index, child
            if isinstance(child, ast.AST):
                yield from _computed(child, scope)


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(node)).split())[:90]
