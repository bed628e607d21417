"""The queue of the processes that write to one file: first come, first served.

Whoever waits for SQLite's own lock sleeps in its busy handler, up to a tenth of a second at a time,
and a busy process takes the lock again meanwhile: of eight, one may get nothing for seconds. So
they stand in line before they ask for it, at two empty files beside the database. `-queue` is held
by whoever is next and waits for the turn, `-turn` by whoever writes. Who has just written finds
somebody waiting for the turn, and queues behind all who came before.

The queue is for fairness only. What keeps writers apart is SQLite's lock, which each of them takes
all the same: a process without a place (another version of this, a file system that can't lock, a
queue that doesn't move) does no harm. The kernel gives back the place of a process that dies, and
the files may be deleted whenever nobody writes. Where there is no `flock` (Windows) there is no
queue.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Final

if sys.platform != "win32":
    import fcntl

SUFFIXES: Final = ("-queue", "-turn")

RETURN_SECONDS: Final = 0.025
"""How long a process keeps its turn for commits that were outrun: they come back in much less."""

ROUND_SECONDS: Final = 0.01
"""How long it may keep it then for others, from the moment the first one was outrun."""

IDLE_SECONDS: Final = 0.001
"""How long it waits for each of those."""


class ProcessQueue:
    """The queue at one file, for a process whose threads take turns before.

    A commit that was decided on what others changed meanwhile fails when its turn comes, and would
    fail again and again if its process had to queue anew: the others change it each time. So a
    process keeps its turn until its commits that were outrun have come back, and, since it knows
    then what the others have to learn, for what comes right behind them; but not for long.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._place: _Place | None = None
        self._kept = False
        self._alarm: threading.Timer | None = None
        self._stuck: _Place | None = None
        self._owed = 0
        self._since: float | None = None

    def enter(self, patience: float) -> bool:
        """Wait for this process's turn; whether it came, and is to be left.

        It did not if there is no queue here, or if it doesn't move for `patience` seconds, since
        somebody in it is stopped. Nobody waits twice for that.
        """
        with self._guard:
            if self._alarm is not None:
                self._alarm.cancel()
            if self._kept:
                self._kept = False
                return True
        self._owed, self._since = 0, None
        if self._stuck is not None and not self._stuck.arrived:
            return False
        self._stuck = None
        self._place = self._place or _Place.at(self._path)
        if self._place is None or self._place.reached_within(patience):
            return self._place is not None
        self._stuck, self._place = self._place, None
        return False

    def settled(self, outrun: int, among: int) -> None:
        """So many commits of this turn, among so many, will come back with another decision."""
        self._owed = max(0, self._owed - among) + outrun
        if outrun and self._since is None:
            self._since = time.monotonic()

    def leave(self) -> None:
        """Let the next process have the turn, or keep it for a moment."""
        rest = self._rest()
        with self._guard:
            assert self._place is not None, "it was entered"
            if rest > 0:
                self._alarm = threading.Timer(rest, self._end)
                self._alarm.daemon = True
                self._kept = _started(self._alarm)
            if not self._kept:
                self._place.leave()

    def _rest(self) -> float:
        """Seconds this process may keep the turn without writing."""
        if self._since is None:
            return 0.0
        spent = time.monotonic() - self._since
        return RETURN_SECONDS - spent if self._owed else min(IDLE_SECONDS, ROUND_SECONDS - spent)

    def _end(self) -> None:
        with self._guard:
            if self._kept and self._alarm is threading.current_thread():
                assert self._place is not None, "it is kept"
                self._kept = False
                self._place.leave()


class _Place:
    """A place in line: two open files, since a lock belongs to whoever opened its file."""

    def __init__(self, queue: int, turn: int) -> None:
        self._queue = queue
        self._turn = turn
        self._guard = threading.Lock()
        self._reached = threading.Event()
        self._given_up = False

    @classmethod
    def at(cls, path: str) -> _Place | None:
        """A place at a database file, if there is one and there can be one."""
        if sys.platform == "win32" or not os.path.isfile(path):
            return None
        opened: list[int] = []
        try:
            for suffix in SUFFIXES:
                flags = os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                opened.append(os.open(path + suffix, flags, 0o666))
        except OSError:  # such as a folder that may not be written to
            for file in opened:
                os.close(file)
            return None
        return cls(*opened)

    def __del__(self) -> None:
        os.close(self._queue)
        os.close(self._turn)

    @property
    def arrived(self) -> bool:
        """Whether nobody waits here any more."""
        return self._reached.is_set()

    def reached_within(self, seconds: float) -> bool:
        """Wait for the turn; whether it came."""
        try:
            if self._reach_if_free():
                return True
        except OSError:  # nothing can be locked here
            return False
        # In a thread, because a wait for a file's lock knows no end but the lock.
        self._reached.clear()
        waiting = threading.Thread(target=self._reach, name="process queue", daemon=True)
        if not _started(waiting):
            self._reached.set()
            return False
        if self._reached.wait(seconds):
            return True
        with self._guard:
            self._given_up = not self._reached.is_set()
            return not self._given_up

    def leave(self) -> None:
        """Let the next one have the turn."""
        fcntl.flock(self._turn, fcntl.LOCK_UN)

    def _reach_if_free(self) -> bool:
        try:
            fcntl.flock(self._queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._queue, fcntl.LOCK_UN)
        return True

    def _reach(self) -> None:
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        fcntl.flock(self._queue, fcntl.LOCK_UN)
        with self._guard:
            if self._given_up:
                self.leave()
            self._reached.set()


def _started(thread: threading.Thread) -> bool:
    """Start a thread, if there can be one more: a process that ends, or has too many, has none."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True
