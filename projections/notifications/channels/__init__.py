"""What carries notifications: one interface, one file per channel."""

from projections.notifications.channels.base import Channel, Refused, Unavailable, Undelivered

__all__ = ["Channel", "Refused", "Unavailable", "Undelivered"]
