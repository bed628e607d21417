"""How a judge says what is wrong."""

from __future__ import annotations


class LawBroken(Exception):
    """A promise that was not kept: `law` is its name, the message says where."""

    def __init__(self, law: str, what: str) -> None:
        self.law = law
        super().__init__(f"{law}: {what}")


def insist(held: object, law: str, what: str) -> None:
    """Break off unless a law is held."""
    if not held:
        raise LawBroken(law, what)
