"""Self-audit: the whole history is read again and everything that can be checked is.

A log is read as it was when the reading began. A scan is no snapshot, so there the whole is judged
at a *cut*: of the commits up to one instant. Observers, such as the audit of a view, see every
event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from ledger.verifier import Observer, Report, Verifier

__all__ = ["CommandRecords", "Observer", "Report", "Verifier", "verify", "verify_scan"]

PAGE = 2_000

CommandRecords = Iterable[tuple[str, Sequence[tuple[str, int]] | None]]
"""Key and (stream, version) pairs of each command record; None where it can't be read."""


def verify(
    recorder: ApplicationRecorder,
    observers: Sequence[Observer] = (),
    progress: Callable[[int, int], None] | None = None,
    *,
    commands: CommandRecords = (),
) -> Report:
    """Read all that was recorded when the call began; commits made meanwhile are left out."""
    named, unreadable = _newest_named(commands)
    verifier = Verifier(observers, commands=named)
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
    report = verifier.conclude()
    report.findings += unreadable
    return report


def verify_scan(
    scan: Callable[[], Iterable[StoredEvent]],
    observers: Sequence[Observer] = (),
    progress: Callable[[int], None] | None = None,
    *,
    until: str,
    commands: CommandRecords = (),
) -> Report:
    """Verify what a scan shows, while others go on writing.

    What is found is reported only if a second scan, with the same cut, finds it again: so a commit
    that was stored while the first one ran, though its time is before the cut, is not taken for
    torn. Observers are shown the first scan only.

    Parameters
    ----------
    scan
        Reads every event, those of each stream in the order of their versions.
    progress
        Is told the number of events read so far; it begins anew with the second scan.
    until
        The cut (see `Verifier`). Let it lie 10 s in the past: a writer stores a commit within 5 s
        of stamping it, so clocks may be 5 s slow before a second scan is needed at all. Clocks
        that are fast only put their commits behind the cut. If one is so slow that commits before
        the cut still arrive during both scans, then what they touch is not judged, never judged
        wrongly: what differs between the scans is in `withdrawn`.
    """
    named, unreadable = _newest_named(commands)
    report = _scanned(scan, Verifier(observers, until=until, commands=named), progress)
    if report.findings:
        again = _scanned(scan, Verifier(until=until, commands=named), progress)
        confirmed = set(map(_about, again.findings))
        report.withdrawn = [f for f in report.findings if _about(f) not in confirmed]
        report.findings = [f for f in report.findings if _about(f) in confirmed]
    report.findings += unreadable
    return report


def _scanned(
    scan: Callable[[], Iterable[StoredEvent]],
    verifier: Verifier,
    progress: Callable[[int], None] | None,
) -> Report:
    for count, stored in enumerate(scan(), 1):
        verifier.see(stored)
        if progress is not None and count % PAGE == 0:
            progress(count)
    return verifier.conclude()


def _about(finding: str) -> str:
    """What makes a finding the same: every word, numbers too; of a commit only its id.

    What is said of a commit may depend on the order in which its events are read.
    """
    commit, _, _ = finding.partition(": ")
    return commit if commit.startswith("commit ") else finding


def _newest_named(commands: CommandRecords) -> tuple[dict[str, tuple[int, str]], list[str]]:
    """The newest version named of each stream, and a finding for each unreadable record."""
    newest: dict[str, tuple[int, str]] = {}
    unreadable: list[str] = []
    for key, pairs in commands:
        if pairs is None or not all(type(s) is str and type(v) is int for s, v in pairs):
            unreadable.append(f"command record {key!r} can't be read")
            continue
        for stream, version in pairs:
            newest[stream] = max((version, key), newest.get(stream, (0, "")))
    return newest, unreadable
