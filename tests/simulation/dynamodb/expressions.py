"""DynamoDB's condition and update expressions, as far as the product writes them.

An expression is parsed once and kept; it is then a function of an item and the request's
placeholders. What the product doesn't write is not understood, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from tests.simulation.dynamodb.values import (
    SIGNS,
    ExpressionError,
    Scope,
    Value,
    begins,
    compared,
    contains,
    there,
    total_of,
)

_TOKEN = re.compile(r"\s*([#:]?[A-Za-z_][\w.]*|[#:]\w+|<>|<=|>=|[=<>(),+\-])")
Condition = Callable[[Scope], bool]
Term = Callable[[Scope], Value | None]


@cache
def condition(text: str) -> Condition:
    """The condition that an expression states."""
    parser = _Parser(text)
    found = parser.either()
    parser.end()
    return found


@cache
def update(text: str) -> Callable[[Scope], dict[str, Value | None]]:
    """The changes that an update expression makes: attribute to value, None to remove it."""
    parser = _Parser(text)
    steps: list[Callable[[Scope], tuple[str, Value | None]]] = []
    while not parser.done:
        clause = parser.take().upper()
        steps.append(parser.change(clause))
        while parser.accept(","):
            steps.append(parser.change(clause))
    return lambda scope: dict(step(scope) for step in steps)


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ExpressionError(f"can't read {text[position:]!r}")
            self._tokens.append(match[1])
            position = match.end()
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._tokens)

    def take(self) -> str:
        if self.done:
            raise ExpressionError(f"{self._text!r} ends too soon")
        self._at += 1
        return self._tokens[self._at - 1]

    def accept(self, *wanted: str) -> bool:
        if not self.done and self._tokens[self._at].upper() in wanted:
            self._at += 1
            return True
        return False

    def expect(self, wanted: str) -> None:
        if not self.accept(wanted):
            raise ExpressionError(f"{self._text!r}: {wanted} is expected")

    def end(self) -> None:
        if not self.done:
            raise ExpressionError(f"{self._text!r}: {self._tokens[self._at]} is not expected")

    def either(self) -> Condition:
        parts = [self._both()]
        while self.accept("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda s: any(part(s) for part in parts)

    def _both(self) -> Condition:
        parts = [self._negated()]
        while self.accept("AND"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else lambda s: all(part(s) for part in parts)

    def _negated(self) -> Condition:
        if self.accept("NOT"):
            inner = self._negated()
            return lambda s: not inner(s)
        if self.accept("("):
            inner = self.either()
            self.expect(")")
            return inner
        return self._predicate()

    def _predicate(self) -> Condition:
        left = self.take()
        if self.accept("("):
            return self._function(left)
        if self.accept("BETWEEN"):
            low = self.take()
            self.expect("AND")
            high = self.take()
            return lambda s: (
                compared(">=", s.operand(left), s.operand(low))
                and compared("<=", s.operand(left), s.operand(high))
            )
        if self.accept("IN"):
            self.expect("(")
            options = [self.take()]
            while self.accept(","):
                options.append(self.take())
            self.expect(")")
            return lambda s: any(compared("=", s.operand(left), s.operand(o)) for o in options)
        sign = self.take()
        if sign not in SIGNS:
            raise ExpressionError(f"{self._text!r}: {sign} is no comparison")
        right = self.take()
        return lambda s: compared(sign, s.operand(left), s.operand(right))

    def _function(self, name: str) -> Condition:
        path = self.take()
        if name in ("begins_with", "contains"):
            self.expect(",")
            part = self.take()
            self.expect(")")
            found = begins if name == "begins_with" else contains
            return lambda s: found(s.operand(path), s.operand(part))
        self.expect(")")
        if name == "attribute_exists":
            return lambda s: s.attribute(path) in s.item
        if name == "attribute_not_exists":
            return lambda s: s.attribute(path) not in s.item
        raise ExpressionError(f"{self._text!r}: {name} is not spoken here")

    def change(self, clause: str) -> Callable[[Scope], tuple[str, Value | None]]:
        """One assignment of an update's clause."""
        path = self.take()
        if clause == "REMOVE":
            return lambda s: (s.attribute(path), None)
        if clause == "ADD":
            amount = self.take()
            return lambda s: (s.attribute(path), total_of(s.operand(path), s.operand(amount), 1))
        if clause != "SET":
            raise ExpressionError(f"{self._text!r}: {clause} is not spoken here")
        self.expect("=")
        term = self._term()
        for sign, factor in (("+", 1), ("-", -1)):
            if self.accept(sign):
                other = self._term()
                return lambda s: (s.attribute(path), total_of(term(s), other(s), factor))
        return lambda s: (s.attribute(path), there(path, term(s)))

    def _term(self) -> Term:
        token = self.take()
        if token == "if_not_exists":
            self.expect("(")
            path = self.take()
            self.expect(",")
            default = self._term()
            self.expect(")")
            return lambda s: s.operand(path) or default(s)
        return lambda s: s.operand(token)
