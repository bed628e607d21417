"""What the ledger asks of an event store, on top of the library's recorder interface."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from eventsourcing.persistence import ApplicationRecorder, StoredEvent


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """The durable memory of one answered command: where its answer stands in history.

    `key` is the idempotency key within its principal and route; `fingerprint` is the SHA-256 of
    the request's meaning; `events` are the (stream, version) pairs its commit wrote, from which
    the same answer can be given again; `expires_at` is in epoch seconds (None: never).
    """

    key: str
    fingerprint: str
    events: tuple[tuple[str, int], ...]
    expires_at: int | None = None


class Queued(Protocol):
    """A commit that is in the store's queue: it stands, or falls, in a moment."""

    @property
    def failed(self) -> bool:
        """Whether it is known to have fallen."""

    def wait(self) -> None:
        """Until it stands or has fallen."""


@dataclass(frozen=True, slots=True)
class Line:
    """How a commit stands in line with others of its process.

    `after` are commits it was decided on: if one of them falls, so does this (a `VersionConflict`
    that names no stream). `queued` is told once the commit is in the queue, behind all of those.
    """

    after: Collection[Queued]
    queued: Callable[[Queued], None]


class LedgerRecorder(ApplicationRecorder):
    """A recorder that appends a commit and its command record as one, or nothing.

    `insert_events` takes the keywords `command` and `unmoved`; any other keyword is a `TypeError`.
    """

    @abstractmethod
    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandRecord | None = None,
        unmoved: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        """Append events of any streams, and the command's record, atomically.

        `unmoved` names streams by the version that must be their newest (0: they have none), or
        nothing is appended; those that get events are checked by that already. Without events it
        only proves that all of them were so at one moment.

        Raises
        ------
        CommandRecorded
            A live record of the key exists. It outranks every other reason.
        VersionConflict
            A version exists already, or a stream of `unmoved` has moved. It names each stream
            concerned with a stored event of that version or a later one, and may name streams
            without a conflict; or it names none, if another commit was under way.
        Contention
            The store was too busy; nothing was stored.
        UnknownOutcome
            The answer was lost.
        CommitTooLarge
            The store can't write that much atomically.
        NotTheWriter, LeaseUnreadable
            Another Region writes, or it is not known which does; nothing was stored.
        """

    def permit(self) -> None:
        """Pass if events may be appended here at all; a store of several Regions may refuse.

        Raises
        ------
        NotTheWriter, LeaseUnreadable
            Another Region writes, or it is not known which does.
        """

    def batch(self) -> AbstractContextManager[None]:
        """Within it, a store for bulk loads may write commits late: all of them at its end, or
        none. Others write each as it comes.

        Raises
        ------
        BatchLost
            At the end: another writer was first. Nothing of the batch was stored.
        """
        return nullcontext()

    @property
    def queues(self) -> bool:
        """Whether `insert_events` takes a `line`, because commits wait here for each other."""
        return False

    @property
    def weak_reads(self) -> bool:
        """Whether a read that need not be strong is cheaper here, and may be stale."""
        return False

    @abstractmethod
    def select_newest(
        self, streams: Iterable[str], *, strong: bool = True
    ) -> dict[str, StoredEvent]:
        """The newest event of each stream that has one.

        `strong` False lets a store with `weak_reads` answer from a moment ago, at half the price:
        good enough to decide on (a stale guess fails its condition), never to refuse on.
        """

    @abstractmethod
    def find_command(self, key: str) -> CommandRecord | None:
        """The live record of a command's key, read strongly."""

    @abstractmethod
    def purge_commands(self) -> int:
        """Delete expired command records; answers how many. A store with TTL answers 0."""

    @abstractmethod
    def close(self) -> None:
        """Close every connection to the store."""


def refuse_unknown(arguments: Mapping[str, Any]) -> None:
    """Refuse keyword arguments of `insert_events` that nobody would act on.

    The library's applications always pass `tracking`, which is None unless events of another
    application are being processed; only a process recorder can record that.
    """
    unknown = sorted(
        name for name, value in arguments.items() if name != "tracking" or value is not None
    )
    if unknown:
        msg = f"insert_events() got unexpected arguments: {', '.join(unknown)}"
        raise TypeError(msg)
