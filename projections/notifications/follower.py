"""Notifications of the embedded store: follows its log, page by page, one channel at a time.

A channel's place in the log moves once a page is handled, together with a note of the streams
that failed: they are *owed*, and tried again after growing pauses, so that they neither get lost
nor hold up anything else. A crash before the place has moved handles the page again, and the marks
know what was sent of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from ledger.store.base import LedgerRecorder
from projections.notifications.marks_file import MarksFile
from projections.notifications.notifier import Notifier, newest_versions
from projections.notifications.progress import SQLiteProgress, split

PAGE: Final = 500
PAUSE_BASE_SECONDS: Final = 1.0
PAUSE_CAP_SECONDS: Final = 60.0


class LogFollower:
    """Hands the log to notifiers. Any number of processes may follow one file.

    Parameters
    ----------
    file
        Where places and debts are kept; closed with the follower.
    clock
        Answers epoch seconds.
    """

    def __init__(
        self,
        recorder: LedgerRecorder,
        notifiers: Sequence[Notifier],
        file: MarksFile,
        *,
        page: int = PAGE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._recorder = recorder
        self._notifiers = tuple(notifiers)
        self._file = file
        self._progress = SQLiteProgress(file)
        self._page = page
        self._clock = clock
        self._silent: dict[str, int] = {}
        self._resume_at: dict[str, float] = {}

    def step(self) -> bool:
        """Bring every channel a page further; answers whether there is more to do at once.

        A channel that is down is left alone for a while: its place in the log stays, and the
        others go on.

        Raises
        ------
        PersistenceError
            The store can't be read or written. Channels it doesn't concern have moved on.
        """
        more = False
        errors: list[Exception] = []
        for notifier in self._notifiers:
            if self._clock() < self._resume_at.get(notifier.channel.name, 0.0):
                continue
            try:
                more |= self._follow(notifier)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return more

    def close(self) -> None:
        """Let go of the file. End the stepping before."""
        self._file.close()

    def _follow(self, notifier: Notifier) -> bool:
        channel = notifier.channel.name
        position = self._progress.position(channel)
        page = self._recorder.select_notifications(position, self._page, inclusive_of_start=False)
        wanted = self._progress.due(channel, self._clock(), self._page)
        for stream, version in newest_versions(page).items():
            wanted[stream] = max(version, wanted.get(stream, 0))
        if not wanted:
            return False
        outcome = notifier.tell(wanted)
        told, failed = split(wanted, outcome.failed)
        end = page[-1].id if page else position
        self._progress.save(channel, end, told=told, failed=failed, now=self._clock())
        if not outcome.down:
            self._silent.pop(channel, None)
            return len(page) == self._page
        silent = self._silent[channel] = self._silent.get(channel, 0) + 1
        pause = min(PAUSE_CAP_SECONDS, PAUSE_BASE_SECONDS * 2 ** min(silent, 10))
        self._resume_at[channel] = self._clock() + pause
        return False
