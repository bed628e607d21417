"""The answers to commands that were recorded, given again from the events they stood on."""

from __future__ import annotations

import time

from ledger.domain.streams import is_order, parse_order
from ledger.errors import IdempotencyKeyReused
from ledger.service.attempts import Command
from ledger.service.history import History
from ledger.service.outcome import Outcome
from ledger.service.sealing import Commit
from ledger.store.base import CommandRecord, LedgerRecorder


def record_of(command: Command, commit: Commit) -> CommandRecord | None:
    """What is kept of a command beside its commit, if it has a key."""
    if command.key is None:
        return None
    expires_at = None
    if command.ttl_seconds is not None:
        expires_at = int(time.time()) + command.ttl_seconds
    events = tuple((recorded.stream, recorded.version) for recorded in commit.recorded)
    return CommandRecord(command.key, command.fingerprint, events, expires_at)


class Records:
    """The records of a store's commands."""

    def __init__(self, recorder: LedgerRecorder) -> None:
        self._recorder = recorder

    def recall(self, command: Command) -> Outcome | None:
        """The answer given before under the command's key, if any.

        Raises
        ------
        IdempotencyKeyReused
            The key was used before with another content.
        """
        record = self._recorder.find_command(command.key) if command.key is not None else None
        return None if record is None else self.replay(command, record)

    def replay(self, command: Command, record: CommandRecord) -> Outcome:
        """Give the first answer again, from the events it stood on.

        Raises
        ------
        IdempotencyKeyReused
            The key was used before with another content.
        LookupError
            An event the record names is not there.
        """
        if record.fingerprint != command.fingerprint:
            raise IdempotencyKeyReused(record.key)
        history = History(self._recorder)
        events, order = [], None
        for stream, version in record.events:
            event = history.at_version(stream, version)
            if event is None:
                msg = f"the record of {record.key!r} names {stream} version {version}, not there"
                raise LookupError(msg)
            events.append(event)
        versions = {stream: version for stream, version in record.events if is_order(stream)}
        for stream, version in versions.items():
            order = history.order(parse_order(stream), version)
        return Outcome(tuple(events), order, replayed=True)
