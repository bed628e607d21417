"""Locks that keep one process's own commands from fighting each other over a stream."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class StreamLocks:
    """A fixed number of locks, each standing for the streams that hash to it.

    They are taken in one order, so commands never wait for each other in a circle. They only
    save work: what keeps commits apart is the store's condition on the version.
    """

    def __init__(self, stripes: int = 4096) -> None:
        self._locks = [threading.Lock() for _ in range(stripes)]

    @contextmanager
    def hold(self, streams: Iterable[str]) -> Iterator[None]:
        """Hold the locks of all streams."""
        stripes = sorted({hash(stream) % len(self._locks) for stream in streams})
        held = []
        try:
            for stripe in stripes:
                self._locks[stripe].acquire()
                held.append(self._locks[stripe])
            yield
        finally:
            for lock in held:
                lock.release()
