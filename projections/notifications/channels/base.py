"""What a notifier asks of a channel."""

from __future__ import annotations

from typing import Protocol

from projections.failures import Passing
from projections.notifications.notification import Kind, Notification


class Undelivered(Exception):
    """A notification was not delivered, as far as the sender knows."""


class Unavailable(Undelivered, Passing):
    """Nobody answered, or the answer was to try later. Trying again may help."""


class Refused(Undelivered):
    """The receiver does not take this one, or must not be asked. Somebody has to look."""


class Channel(Protocol):
    """A way to somebody who wants to know."""

    @property
    def name(self) -> str:
        """What its marks are kept under: the same in every process, as long as its receiver is."""

    def wants(self, kind: Kind) -> bool:
        """Whether notifications of this kind go out here."""

    def send(self, notification: Notification) -> None:
        """Send one; when it returns, the receiver has it.

        Raises
        ------
        Undelivered
            The receiver may have it all the same, if its answer was lost.
        """
