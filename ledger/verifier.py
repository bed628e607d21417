"""What is checked of every event, of every stream, and of the whole.

Per event: its seal and its place in the chain, its time, its commit's size. Per stream and across
streams: the laws (`ledger.domain.laws`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from eventsourcing.persistence import StoredEvent

from ledger.codec import CorruptEvent, Recorded, check_seal, decode
from ledger.domain.errors import LawBroken
from ledger.domain.laws import Laws
from ledger.domain.streams import is_order


class Observer(Protocol):
    """Something that wants to see every sound event, each stream in order."""

    def see(self, recorded: Recorded, position: int | None = None) -> None:
        """Take one event and its position in the log, if there is a log."""


@dataclass(slots=True)
class Report:
    """What a verification found. `findings` is empty when all is well."""

    events: int = 0
    streams: int = 0
    findings: list[str] = field(default_factory=list)
    later: int = 0
    """Events after the cut: judged by themselves and in their stream, but not across streams."""
    withdrawn: list[str] = field(default_factory=list)
    """What was found at first and was gone when everything was read again."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass(slots=True)
class _Tail:
    version: int = 0
    hash: str = ""
    at: str = ""
    command: str = ""
    late: bool = False
    """Whether the newest event seen is behind the cut."""
    sound: bool = True
    closed: bool = False
    """Whether it is an order of which nothing is open any more."""


class Verifier:
    """Reads events, each stream in order, and collects findings.

    Memory follows the number of streams, and of commits of which only a part was seen so far.

    Parameters
    ----------
    until
        The cut: what involves several streams is judged over the commits up to this instant.
        None judges all. The events of a commit have one time (a second one of the same stream
        comes a microsecond later, and counts with the first), and time goes on in every stream:
        so a commit is wholly before the cut or wholly behind it, and no event before it depends
        on one behind.
    commands
        The newest version that a command record names of each stream, and the record's key. They
        must be older than what `see` is shown.
    """

    def __init__(
        self,
        observers: Sequence[Observer] = (),
        *,
        until: str | None = None,
        commands: Mapping[str, tuple[int, str]] | None = None,
    ) -> None:
        self.report = Report()
        self._observers = observers
        self._until = until
        self._named = commands or {}
        self._laws = Laws()
        self._later = Laws()
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
            recorded = _well_formed(decode(stored))
            was_late = self._place(recorded, tail)
            self._link(recorded, tail)
            if tail.sound:
                self._obey(recorded, tail, was_late)
                for observer in self._observers:
                    observer.see(recorded, position)
        except CorruptEvent as error:
            self._broken(tail, f"{stream} version {stored.originator_version}: {error.why}")
        except LawBroken as error:
            self._broken(tail, f"{stream} version {stored.originator_version}: {error}")
        tail.version = stored.originator_version

    def _place(self, recorded: Recorded, tail: _Tail) -> bool:
        """Tell on which side of the cut the event is; answers where the one before it was."""
        before = tail.late
        if recorded.command != tail.command:
            tail.late = self._until is not None and recorded.at > self._until
        tail.command = recorded.command
        if tail.late:
            self.report.later += 1
        else:
            self._count(recorded)
        return before

    def _link(self, recorded: Recorded, tail: _Tail) -> None:
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

    def _obey(self, recorded: Recorded, tail: _Tail, was_late: bool) -> None:
        """Judge the event in its stream; behind the cut, apart from what is judged as a whole."""
        if tail.closed:
            msg = "it comes after the order was closed"
            raise LawBroken(msg)
        stream = recorded.stream
        if tail.late and not was_late:
            if stream in self._laws.balances:
                self._later.balances[stream] = self._laws.balances[stream]
            if stream in self._laws.orders:
                self._later.orders[stream] = self._laws.orders[stream]
        laws = self._later if tail.late else self._laws
        laws.see(stream, recorded.event)
        tail.closed = is_order(stream) and stream not in laws.orders

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
        findings = self.report.findings
        for commit, (size, seen) in sorted(self._commits.items()):
            findings.append(f"commit {commit}: {seen} events of {size} are there: it is torn")
        for stream, finding in self._laws.conclude():
            findings.append(f"{stream}: {finding}")
        for stream, (version, key) in sorted(self._named.items()):
            if stream not in self._tails or self._tails[stream].version < version:
                findings.append(
                    f"{stream} version {version} is not there, but command record {key!r} names it"
                )
        self.report.streams = len(self._tails)
        return self.report


def _well_formed(recorded: Recorded) -> Recorded:
    """Refuse members that nothing could be told by: who seals anew may write anything."""
    texts = (recorded.at, recorded.command, recorded.prev, recorded.hash)
    if not all(type(text) is str for text in texts) or type(recorded.size) is not int:
        raise CorruptEvent(recorded.stream, recorded.version, "not an envelope")
    return recorded
