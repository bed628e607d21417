"""Notifications as they come: wakes on this process's own commits, and looks for others'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription, ShutDown
from typing_extensions import override

if TYPE_CHECKING:
    from ledger.store.dynamodb_ledger import DynamoDBLedgerRecorder

POLL_SECONDS: Final = 0.25
"""Pause between two looks for what other processes have stored."""


class DynamoDBSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """Reads the feed in a thread of its own until it is stopped."""

    def __init__(
        self, recorder: DynamoDBLedgerRecorder, gt: int | None, topics: Sequence[str]
    ) -> None:
        self._wanted = frozenset(topics)
        super().__init__(recorder, gt)

    def wake(self) -> None:
        """Hear that there may be something new."""
        self._has_been_notified.set()

    @override
    def _loop_on_pull(self) -> None:
        try:
            while not self._has_been_stopped:
                self._pull()
                self._has_been_notified.wait(POLL_SECONDS)
        except ShutDown:
            pass  # stopped while there was more to tell
        except BaseException as error:
            self._thread_error = self._thread_error or error
            self.stop()

    @override
    def _pull(self) -> None:
        """Read on. Topics are chosen here, so that what is left out is not read over and over."""
        more = True
        while more and not self._has_been_stopped:
            self._has_been_notified.clear()
            read = self._recorder.select_notifications(
                self._last_notification_id or 0, self._select_limit, inclusive_of_start=False
            )
            chosen = [n for n in read if not self._wanted or n.topic in self._wanted]
            if chosen:
                self._notifications_queue.put(chosen)
            if read:
                self._last_notification_id = read[-1].id
            more = len(read) == self._select_limit
