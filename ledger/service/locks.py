"""Locks that keep one process's own commands from fighting each other over a stream."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager


class StreamLocks:
    """A fixed number of locks, each standing for the streams that hash to it.

    They are taken in one order, so commands never wait for each other in a circle. They only
    save work: what keeps commits apart is the store's condition on the version.
    """

    def __init__(self, stripes: int = 4096) -> None:
        self._locks = [threading.Lock() for _ in range(stripes)]

    @contextmanager
    def hold(self, streams: Iterable[str]) -> Iterator[Held]:
        """Hold the locks of all streams; who holds them may release them early."""
        stripes = sorted({hash(stream) % len(self._locks) for stream in streams})
        held = Held([self._locks[stripe] for stripe in stripes])
        try:
            held.take()
            yield held
        finally:
            held.release()


class Held:
    """The locks of one command."""

    def __init__(self, locks: Sequence[threading.Lock]) -> None:
        self._locks = locks
        self._taken: list[threading.Lock] = []

    def take(self) -> None:
        """Hold all of them, in their order. Nothing happens if they are held."""
        if self._taken:
            return
        for lock in self._locks:
            lock.acquire()
            self._taken.append(lock)

    def release(self) -> None:
        """Hold none of them."""
        while self._taken:
            self._taken.pop().release()
