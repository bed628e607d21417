"""A background thread that does one thing again and again, whatever happens."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

BACKOFF_BASE_SECONDS: Final = 0.1
BACKOFF_CAP_SECONDS: Final = 5.0


class Loop:
    """Calls `step` in a thread of its own: when woken, and at least every `every` seconds.

    A step that fails is logged and done again after a random pause that grows with every failure
    in a row; waking doesn't shorten that pause.

    Parameters
    ----------
    linger
        Seconds to pause after every step, so that what wakes it many times in that while is
        handled in one step. The first of them is handled at once.
    """

    def __init__(
        self, name: str, step: Callable[[], None], *, every: float, linger: float = 0.0
    ) -> None:
        self._step = step
        self._every = every
        self._linger = linger
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def stopping(self) -> bool:
        """Whether a long step should come to its end."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start the thread; a loop starts once."""
        self._thread.start()

    def wake(self) -> None:
        """Ask for a step soon. Cheap, never blocks, safe from any thread."""
        if not self._woken.is_set():
            self._woken.set()

    def stop(self) -> None:
        """Ask the thread to end and wait for the step it is in; harmless if it never started."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self.stopping:
            self._woken.clear()
            try:
                self._step()
            except Exception:
                log.exception("%s failed and will try again", self._thread.name)
                self._back_off()
            else:
                self._failures = 0
                self._stopping.wait(self._linger)
                self._woken.wait(self._every)

    def _back_off(self) -> None:
        self._failures += 1
        longest = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** min(self._failures, 10))
        self._stopping.wait(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
