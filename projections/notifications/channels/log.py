"""Notifications as log lines: for a first run, and for those who alert on logs."""

from __future__ import annotations

import logging
from typing import Final

from projections.notifications.notification import Kind, Notification

log: Final = logging.getLogger("ledger.notifications")


class LogChannel:
    """One line of JSON at level INFO, on the logger `ledger.notifications`.

    Whoever chose this channel wants to see the lines, so the logger lets them pass unless it was
    given another level. Where they go is for the handlers of the process to say.
    """

    name = "log"

    def __init__(self) -> None:
        if log.level == logging.NOTSET:
            log.setLevel(logging.INFO)

    def wants(self, kind: Kind) -> bool:  # noqa: ARG002 - it takes all
        """Every kind."""
        return True

    def send(self, notification: Notification) -> None:
        """Log it."""
        log.info("%s", notification.to_json().decode())
