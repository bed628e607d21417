"""How far a rebuild of a view has come, as it is stored: whoever goes on with it needs no more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """What a rebuild has behind it."""

    BEGUN = "begun"
    """It is claimed; its generation may be registered or not."""
    REGISTERED = "registered"
    """Everybody who looks sees its generation; somebody may not have looked yet."""
    SETTLED = "settled"
    """Everybody who writes knows its generation: history may be read."""
    FILLED = "filled"
    """The generation has everything. It may be shown."""
    DROPPED = "dropped"
    """The generation is given up and no longer registered; somebody may still write it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """How far one part of history is read. `resume` belongs to whoever reads it."""

    events: int = 0
    resume: Mapping[str, Any] | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """An unfinished rebuild. Every change of it is made on the condition of `mark`.

    Parameters
    ----------
    owner
        Who goes on with it: a name given once. Whoever takes it over puts a new one here, and the
        former owner finds out at its next step.
    generation
        What is being filled; 0 as long as no number is taken.
    fields
        The fields of a row as the code that began it knows them.
    since
        When the registration changed last (epoch seconds).
    leaving
        Generations that are to be discarded, unless they are live when it comes to that.
    """

    owner: str
    fields: tuple[str, ...]
    revision: int = 1
    generation: int = 0
    phase: Phase = Phase.BEGUN
    since: float = 0.0
    leaving: tuple[int, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def mark(self) -> str:
        """Tells this state from every other that there ever is of the view."""
        return f"{self.owner}/{self.revision}"

    @property
    def events(self) -> int:
        """How many events have been read."""
        return sum(segment.events for segment in self.segments)

    def text(self) -> str:
        """What is stored."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Rebuilding:
        """The state that was stored as `text`."""
        stored = json.loads(text)
        return cls(
            **{
                **stored,
                "fields": tuple(stored["fields"]),
                "phase": Phase(stored["phase"]),
                "leaving": tuple(stored["leaving"]),
                "segments": tuple(Segment(**segment) for segment in stored["segments"]),
            }
        )
