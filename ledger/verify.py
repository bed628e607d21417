"""Self-audit: the whole history is read again and everything that can be checked is.

Per event: its seal and its place in the chain, its time, its commit's size. Per stream and across
streams: the laws (`ledger.domain.laws`). Observers, such as the audit of a view, see every event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from ledger.codec import CorruptEvent, Recorded, check_seal, decode
from ledger.domain.errors import LawBroken
from ledger.domain.laws import Laws

PAGE = 2_000


class Observer(Protocol):
    """Something that wants to see every sound event, in the order of the log."""

    def see(self, recorded: Recorded, position: int | None = None) -> None:
        """Take one event and its position in the log."""


@dataclass(slots=True)
class Report:
    """What a verification found. `findings` is empty when all is well."""

    events: int = 0
    streams: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass(slots=True)
class _Tail:
    version: int = 0
    hash: str = ""
    at: str = ""
    sound: bool = True


class Verifier:
    """Reads events in log order and collects findings."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self.report = Report()
        self._observers = observers
        self._laws = Laws()
        self._tails: dict[str, _Tail] = {}
        self._commits: dict[str, tuple[int, int]] = {}

    def see(self, stored: StoredEvent, position: int | None = None) -> None:
        """Check one event. After a stream's first finding its later events are only sealed."""
        stream = str(stored.originator_id)
        tail = self._tails.setdefault(stream, _Tail())
        self.report.events += 1
        if type(stored.originator_version) is not int:
            self._broken(tail, f"{stream}: {stored.originator_version!r} is no version")
            return
        try:
            check_seal(stored)
            recorded = decode(stored)
            self._link(recorded, tail)
            if tail.sound:
                self._laws.see(stream, recorded.event)
                for observer in self._observers:
                    observer.see(recorded, position)
        except CorruptEvent as error:
            self._broken(tail, f"{stream} version {stored.originator_version}: {error.why}")
        except LawBroken as error:
            self._broken(tail, f"{stream} version {stored.originator_version}: {error}")
        tail.version = stored.originator_version

    def _link(self, recorded: Recorded, tail: _Tail) -> None:
        self._count(recorded)
        before, tail.hash, at, tail.at = tail.hash, recorded.hash, tail.at, recorded.at
        if recorded.version != tail.version + 1:
            why = f"version {tail.version + 1} is missing"
            raise CorruptEvent(recorded.stream, recorded.version, why)
        if tail.sound and recorded.prev != before:
            why = "it does not continue the chain of the event before it"
            raise CorruptEvent(recorded.stream, recorded.version, why)
        if recorded.at <= at:
            why = f"its time {recorded.at} is not after {at}"
            raise CorruptEvent(recorded.stream, recorded.version, why)

    def _count(self, recorded: Recorded) -> None:
        """Count the events of each commit that is not seen whole yet."""
        commit = recorded.command
        size, seen = self._commits.get(commit, (recorded.size, 0))
        if recorded.size != size:
            self.report.findings.append(
                f"commit {commit}: {recorded.stream} version {recorded.version} says it holds "
                f"{recorded.size} events, another one {size}"
            )
        self._commits[commit] = (size, seen + 1)
        if seen + 1 == size:
            del self._commits[commit]

    def _broken(self, tail: _Tail, finding: str) -> None:
        tail.sound = False
        self.report.findings.append(finding)

    def conclude(self) -> Report:
        """Judge the whole once every event was seen."""
        for commit, (size, seen) in sorted(self._commits.items()):
            self.report.findings.append(
                f"commit {commit}: {seen} events of {size} are there: it is torn"
            )
        for stream, finding in self._laws.conclude():
            self.report.findings.append(f"{stream}: {finding}")
        self.report.streams = len(self._tails)
        return self.report


def verify(
    recorder: ApplicationRecorder,
    observers: Sequence[Observer] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Read all that was recorded when the call began; commits made meanwhile are left out."""
    verifier = Verifier(observers)
    stop = recorder.max_notification_id() or 0
    position: int | None = None
    while page := recorder.select_notifications(
        position, PAGE, stop=stop, inclusive_of_start=False
    ):
        for notification in page:
            verifier.see(notification, notification.id)
        position = page[-1].id
        if progress is not None:
            progress(position, stop)
    return verifier.conclude()
