"""Mutants: a module's source with one small mistake in it."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from itertools import chain, pairwise, takewhile
from typing import Any, Final, NamedTuple


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


Changes = Iterator[ast.AST]
"""The nodes to have in a node's place, one at a time."""

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
_MISTAKEN: Final = {
    "reserved": "backordered",
    "backordered": "reserved",
    "shipped": "reserved",
    "damaged": "reserved",
    "on_hand": "reserved",
    "free": "on_hand",
    "available": "free",
    "unfilled": "rejected",
    "rejected": "unfilled",
    "cancelled": "expired",
    "expired": "cancelled",
    "sku": "location",
    "location": "sku",
    "count": "streams",
    "streams": "count",
}
"""What a field may be mistaken for."""

_SHOWN: Final = 80
_CALLED: Final = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}


def _comparison(node: ast.AST) -> Changes:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARED:
        other = copy.copy(node)
        other.ops = [_COMPARED[type(node.ops[0])](), *node.ops[1:]]
        yield other


def _arithmetic(node: ast.AST) -> Changes:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _COMPUTED:
        other = copy.copy(node)
        other.op = _COMPUTED[type(node.op)]()
        yield other


def _boolean(node: ast.AST) -> Changes:
    if isinstance(node, ast.BoolOp):
        other = copy.copy(node)
        other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield other
    if isinstance(node, ast.UnaryOp):
        yield node.operand


def _constant(node: ast.AST) -> Changes:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        value = node.value
        yield ast.Constant(not value if isinstance(value, bool) else value + 1)


def _return(node: ast.AST) -> Changes:
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))


def _removal(node: ast.AST) -> Changes:
    stays = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    removable = ast.Expr | ast.AugAssign | ast.Raise | ast.Break | ast.Continue
    if isinstance(node, removable) and not stays:
        yield ast.Pass()


def _function(node: ast.AST) -> Changes:
    if isinstance(node, ast.Name) and node.id in _CALLED:
        yield ast.Name(_CALLED[node.id])


def _keyword(node: ast.AST) -> Changes:
    """A call without one of its keyword arguments."""
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            other = copy.copy(node)
            other.keywords = [each for each in node.keywords if each is not keyword]
            yield other


def _order(node: ast.AST) -> Changes:
    """A call with two neighbouring arguments in each other's place."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) not in ("min", "max"):
        for index, (one, other) in enumerate(pairwise(node.args)):
            if ast.dump(one) != ast.dump(other):
                swapped = copy.copy(node)
                swapped.args = [*node.args[:index], other, one, *node.args[index + 2 :]]
                yield swapped


def _field(node: ast.AST) -> Changes:
    if isinstance(node, ast.Attribute) and node.attr in _MISTAKEN:
        yield ast.Attribute(node.value, _MISTAKEN[node.attr], node.ctx)


def _negation(node: ast.AST) -> Changes:
    """The opposite of a condition that is no comparison: those are changed already."""
    changed_already = isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp)
    if isinstance(node, ast.expr) and not changed_already:
        yield ast.UnaryOp(ast.Not(), node)


OPERATORS: Final = (
    _comparison,
    _arithmetic,
    _boolean,
    _constant,
    _return,
    _removal,
    _function,
    _keyword,
    _order,
    _field,
)


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module. What is there for the type checker alone stays as it is."""
    tree = ast.parse(source)
    seen: Counter[tuple[str, str]] = Counter()
    for place, parent, name, index, node in _computed(tree, ()):
        operators = (*OPERATORS, _negation) if name in ("test", "ifs") else OPERATORS
        for other in chain.from_iterable(operator(node) for operator in operators):
            _put(parent, name, index, other)
            mutated = ast.unparse(ast.fix_missing_locations(tree))
            what = _what(_text(node), _text(other))
            seen[place, what] += 1
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
            if _for_types(child):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield ".".join(scope) or "-", node, name, index, child
            if isinstance(child, ast.AST):
                yield from _computed(child, scope)


def _for_types(node: Any) -> bool:
    name = node.test if isinstance(node, ast.If) else getattr(node, "func", None)
    return isinstance(name, ast.Name) and name.id in ("TYPE_CHECKING", "TypeVar")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _put(parent: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _what(before: str, after: str) -> str:
    """A long node is told from shortly before the change."""
    same = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    )
    start = max(0, same - _SHOWN // 2) if len(before) > _SHOWN else 0
    shown = (text[start : start + _SHOWN] for text in (before, after))
    return "  ->  ".join(f"{'...' if start else ''}{text}" for text in shown)


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
