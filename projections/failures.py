"""Which failures pass by themselves, and which somebody has to look at."""

from __future__ import annotations

from eventsourcing.persistence import InterfaceError, OperationalError


class Passing(Exception):
    """Nothing is wrong with what was asked: try again later, as often as it takes."""


def passes(error: BaseException) -> bool:
    """Whether trying again later is all there is to do.

    So it is where somebody else is at work, or where a store or a receiver doesn't answer just
    now. However long that lasts, the message at hand is a good one.
    """
    return isinstance(error, (Passing, OperationalError, InterfaceError))
