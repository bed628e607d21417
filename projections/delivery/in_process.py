"""Delivery within one process: commits wake the runner, the runner feeds the order processor."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from eventsourcing.persistence import StoredEvent

from ledger.codec import Recorded
from projections.loop import Loop
from projections.order_processor import OrderProcessor
from projections.runner import Runner
from projections.store.base import ViewStore
from projections.views.base import View

if TYPE_CHECKING:
    from projections.notifications.follower import LogFollower

POLL_SECONDS: Final = 0.5
"""How often commits of other processes are looked for."""

LINGER_SECONDS: Final = 0.05
"""Commits that follow each other this closely are projected together: every projection takes the
file's write lock, which appends need."""

PAGE: Final = 20_000
"""Events applied at a time. Whoever appends meanwhile waits until their rows are written."""

SWEEP_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.05


class InProcessDelivery:
    """Threads that keep the views up to the log, run the order processor, and notify.

    They are several so that neither a large order, which takes many commits, nor a receiver of
    notifications that doesn't answer keeps the views waiting. What is handed to the order
    processor may be lost at any time: sweeps find it again.

    Parameters
    ----------
    follower
        Notifies of what the log holds (None: nobody is notified).
    page
        Events applied at a time. A full page means a backlog, which is not handed to the order
        processor event by event: it sweeps when the views have caught up.
    """

    def __init__(
        self,
        runner: Runner,
        store: ViewStore,
        processor: OrderProcessor,
        follower: LogFollower | None = None,
        *,
        poll: float = POLL_SECONDS,
        linger: float = LINGER_SECONDS,
        sweep: float = SWEEP_SECONDS,
        page: int = PAGE,
    ) -> None:
        self._runner = runner
        self._store = store
        self._processor = processor
        self._follower = follower
        self._page = page
        self._sweep = sweep
        self._sweep_at = 0.0
        self._applied = threading.Condition()
        self._rounds = 0
        self._inbox: list[StoredEvent] = []
        self._backlog = False
        self._guard = threading.Lock()
        self._projecting = Loop("projections", self._project, every=poll, linger=linger)
        self._processing = Loop("order-processor", self._process, every=sweep)
        self._notifying = Loop("notifications", self._tell, every=sweep)

    def start(self) -> None:
        """Start: catch up, then sweep."""
        self._projecting.start()
        self._processing.start()
        if self._follower is not None:
            self._notifying.start()

    def stop(self) -> None:
        """End the threads; waits for the page, the command and the message they are in."""
        self._projecting.stop()
        self._processing.stop()
        self._notifying.stop()
        if self._follower is not None:
            self._follower.close()

    def notify(self, _events: Iterable[Recorded] = ()) -> None:
        """Say that a commit was made here. Cheap, never blocks, never raises."""
        self._projecting.wake()

    def wait_for(self, view: View[Any], stream: str, version: int, timeout: float) -> bool:
        """Wait until the view shows `version` of a stream or a later one.

        Answers whether it does; `timeout` is in seconds.
        """
        deadline = time.monotonic() + timeout
        key = view.key(stream)
        while True:
            rounds = self._rounds
            row = self._store.load(self._runner.registry.active(view), [key]).get(key)
            if row is not None and row.version >= version:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.notify()
            with self._applied:
                # Another process may project it without telling: look again now and then.
                if self._rounds == rounds:
                    self._applied.wait(min(left, LOOK_SECONDS))

    def _project(self) -> None:
        """Catch up with the log. What is committed meanwhile wakes the loop for another step."""
        events: Sequence[StoredEvent] = ()
        while not self._projecting.stopping:
            events = self._runner.catch_up(self._page)
            with self._applied:
                self._rounds += 1
                self._applied.notify_all()
            self._hand_over(events)
            if len(events) < self._page:
                break
        if events or self._backlog:
            self._processing.wake()
            self._notifying.wake()

    def _hand_over(self, events: Sequence[StoredEvent]) -> None:
        with self._guard:
            if len(events) >= self._page or len(self._inbox) >= self._page:
                self._backlog = True
                self._inbox.clear()
            else:
                self._inbox.extend(events)

    def _tell(self) -> None:
        """Notify of what the log holds and nobody was told of."""
        while self._follower is not None and not self._notifying.stopping:
            if not self._follower.step():
                break

    def _process(self) -> None:
        """React to what came in; sweep when it is time, or after a backlog."""
        with self._guard:
            events, self._inbox = self._inbox, []
            backlog, self._backlog = self._backlog, False
        self._processor.react(events)
        if backlog or time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + self._sweep
            self._processor.sweep()
