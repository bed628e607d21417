"""What can go wrong between a command and its commit, apart from the domain's refusals.

::

    PersistenceError (eventsourcing)
    ├── IntegrityError (eventsourcing)
    │   ├── VersionConflict    another commit took a version; carries events that did
    │   ├── CommandRecorded    the command's idempotency key was recorded before
    │   └── BatchLost          another writer took something of a whole batch of commits
    ├── OperationalError (eventsourcing)
    │   ├── Contention         the stock was too busy for the bounded retries; try again
    │   ├── UnknownOutcome     the answer was lost: the commit may or may not stand
    │   ├── NotTheWriter       another Region writes; nothing was stored
    │   └── LeaseUnreadable    which Region writes could not be read; nothing was stored
    └── DataError (eventsourcing)
        └── CommitTooLarge     more than one atomic commit can hold
    IdempotencyKeyReused       the key was used before with another request
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eventsourcing.persistence import DataError, IntegrityError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eventsourcing.persistence import StoredEvent

    from ledger.store.base import CommandRecord


class VersionConflict(IntegrityError):
    """A version to be written exists already. Nothing of the commit was stored.

    `newest` is what the store could tell without another read: of each stream whose version was
    taken, a stored event of that version or a later one. SQLite tells the newest event, and of
    every stream of the commit; DynamoDB the event that took the version, which may be long
    overtaken. It is empty if a stream moved but nothing can be told of it (two transactions that
    met on DynamoDB): nothing may be concluded then, but the commit may be tried again as it is.
    """

    def __init__(self, newest: Mapping[str, StoredEvent]) -> None:
        self.newest = dict(newest)
        at = ", ".join(f"{s} version {e.originator_version}" for s, e in self.newest.items())
        super().__init__(f"another commit was first: {at or 'the stream moved'}")


class CommandRecorded(IntegrityError):
    """The command's key has a live record. Nothing of the commit was stored."""

    def __init__(self, record: CommandRecord) -> None:
        self.record = record
        super().__init__(f"command {record.key!r} was recorded before")


class BatchLost(IntegrityError):
    """Another writer took a version or key of a batch of commits. Nothing of it was stored."""


class Contention(OperationalError):
    """Too many writers wanted the same streams at once; nothing was stored. Safe to retry."""

    retry_after: float = 1.0
    """Seconds to wait before the next try."""


class UnknownOutcome(OperationalError):
    """The store's answer was lost; whether the commit stands must be asked, not guessed."""


class NotTheWriter(OperationalError):
    """Another Region writes, or none. `region` is the one that does, as far as is known here."""

    retry_after: float = 5.0
    """Seconds after which this Region may have become the writer."""

    def __init__(self, region: str | None) -> None:
        self.region = region
        super().__init__("this Region does not write" + (f", {region} does" if region else ""))


class LeaseUnreadable(OperationalError):
    """Which Region writes could not be read for so long that this one must not."""

    def __init__(self, region: str) -> None:
        super().__init__(f"the lease of {region} can't be read: nothing is written until it can")


class CommitTooLarge(DataError):
    """The commit exceeds what the store writes atomically; found before anything is sent."""


class IdempotencyKeyReused(Exception):
    """The idempotency key was used before for a request with another content."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"idempotency key {key!r} was used before with another request")
