"""Changes under a condition: `If-Match` as the version a command insists on."""

from __future__ import annotations

from dataclasses import replace

from api import problems
from api.preconditions import wanted_versions
from api.problems import Problem
from api.services import Services
from ledger.domain.streams import is_order
from ledger.service import Context


def conditional(services: Services, context: Context, stream: str, if_match: str | None) -> Context:
    """The context with the version `If-Match` asks for.

    One tag is left to the ledger, which compares it in the commit itself; `*` and several tags
    are first matched with the current version. An order that doesn't exist is left to the ledger
    too: that it is not found is the better answer.

    Raises
    ------
    Problem
        No tag can ever match.
    """
    if if_match is None:
        return context
    versions = wanted_versions(if_match)
    if len(versions) == 1:
        return replace(context, expected_version=versions[0])
    history = services.ledger.history
    newest = history.newest(stream) if is_order(stream) else history.position(stream)
    current = newest.version if newest else 0
    if (if_match == "*" and current) or (is_order(stream) and not current):
        return context
    if versions:
        return replace(context, expected_version=current if current in versions else versions[0])
    detail = f"{stream} is at version {current}, which If-Match does not name."
    raise Problem(problems.VERSION_MISMATCH, detail, current_version=current)
