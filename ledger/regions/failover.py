"""Moving the lease from one Region to another: planned, or because a Region is gone.

Every step is conditional on what was read before, so of two operators one is refused; and every
step may be the last one: the command that moves the lease can be run again, or the other way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from eventsourcing.persistence import InterfaceError, OperationalError, PersistenceError

from ledger.lease import SETTLED_SECONDS, Fence, Grant, Standing, State
from ledger.regions.contents import Missing, still_missing, unreplicated
from ledger.regions.place import Place
from ledger.service.clock import Clock, instant, utc_now


class FailoverRefused(Exception):
    """The lease was not moved; says why, and what to do."""


class NotReplicated(FailoverRefused):
    """Something has not arrived in the new Region in time. Both Regions are closed now."""

    def __init__(self, new: str, old: str, missing: list[Missing]) -> None:
        self.missing = missing
        items = sum(each.items for each in missing)
        first = ", ".join(f"{each.table} {each.key}" for each in missing[:5]) or "the fence"
        super().__init__(
            f"{items} items are not in {new} yet ({first}{', ...' if len(missing) > 5 else ''}). "
            f"Nothing is written anywhere now: wait on with `ledger failover --from {old} --to "
            f"{new}`, or go back with `ledger failover --from {new} --to {old}`"
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things are waited for, in seconds.

    `settled` is the time after closing until no write of the old holder arrives; `replicated` the
    time in which everything must have arrived in the new Region.
    """

    settled: float = SETTLED_SECONDS
    replicated: float = 600.0
    poll: float = 0.5


@dataclass(frozen=True, slots=True)
class Failover:
    """Moves the lease from `old` to `new`.

    Parameters
    ----------
    by
        Who moves it; recorded in the grants.
    say
        Is told each step.
    segments
        How many segments each table is scanned in, to compare it.
    """

    old: Place
    new: Place
    by: str
    say: Callable[[str], None] = field(default=lambda _: None)
    segments: int = 4
    patience: Patience = Patience()
    clock: Clock = utc_now
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def planned(self) -> Grant:
        """Close the old Region, wait until everything is in the new one, open that.

        Nothing acknowledged is missing in the new Region when it opens: that was looked at, item
        by item. Answers the new grant, or the one there is if the new Region has it already.

        Raises
        ------
        FailoverRefused
            The lease is a third Region's, or something did not arrive in time.
        LeaseMoved
            Somebody else is moving the lease.
        """
        ours, theirs = self.old.lease.read(), self.new.lease.read()
        if self._has_it_already(ours, theirs):
            assert theirs.grant is not None, "held means granted"
            return theirs.grant
        self._check_holder(ours.writer)
        self._check_holder(theirs.writer)
        epoch = 1 + max(ours.epoch, theirs.epoch)
        if self._is_given_up(ours, theirs):
            return self._take_back(epoch, ours, theirs)
        closing = self._grant("closing", epoch)
        self.old.lease.put(closing, after=ours.grant)
        self.say(f"Closed {self.old.region}; its writers stop within {self.patience.settled:g} s.")
        self.sleep(self.patience.settled)
        self.old.lease.raise_fence(Fence(epoch, self.new.region))
        self._wait_for_everything(epoch)
        self.old.lease.put(self._grant("closed", epoch), after=closing)
        return self._open(epoch, theirs)

    def unplanned(self) -> Grant:
        """Open the new Region without waiting for what the old one has not replicated.

        If the old Region's lease can be reached it is closed, and waited out.

        Raises
        ------
        FailoverRefused
            The lease is a third Region's.
        LeaseMoved
            Somebody else is moving the lease.
        """
        theirs, ours, reached = self.new.lease.read(), Standing(), True
        try:
            ours = self.old.lease.read()
        except PersistenceError as error:
            self.say(f"{self.old.region} can't be reached: {error}")
            reached = False
        if self._has_it_already(ours, theirs):
            assert theirs.grant is not None, "held means granted"
            return theirs.grant
        self._check_holder(ours.writer)
        self._check_holder(theirs.writer)
        epoch = 1 + max(ours.epoch, theirs.epoch)
        if reached and self._closed(ours.grant, epoch):
            self.say(f"Closed {self.old.region}; waiting {self.patience.settled:g} s.")
            self.sleep(self.patience.settled)
        self.new.lease.raise_fence(Fence(epoch, self.new.region))
        return self._open(epoch, theirs)

    def close_old(self) -> bool:
        """Close an old Region that came back and still believes it writes; whether it did.

        It is waited out: what its writers still send is there when this returns.
        """
        ours, theirs = self.old.lease.read(), self.new.lease.read()
        if ours.grant is None or ours.grant.state != "open":
            return False
        if not theirs.held_by(self.new.region) or theirs.epoch <= ours.grant.epoch:
            holder = theirs.writer if theirs.writer != self.new.region else "nobody newer"
            msg = (
                f"{self.new.region} does not hold a lease that is newer than {self.old.region}'s: "
                f"{holder or 'nobody'} does"
            )
            raise FailoverRefused(msg)
        self.old.lease.put(self._grant("closed", theirs.epoch), after=ours.grant)
        self.say(f"Closed {self.old.region}, which still had its old lease; waiting it out.")
        self.sleep(self.patience.settled)
        return True

    def _has_it_already(self, ours: Standing, theirs: Standing) -> bool:
        return theirs.held_by(self.new.region) and theirs.epoch >= ours.epoch

    def _is_given_up(self, ours: Standing, theirs: Standing) -> bool:
        """Whether the new Region closed itself for the old one, which has not opened since."""
        return (
            theirs.grant is not None
            and theirs.grant.state == "closing"
            and theirs.grant.epoch == theirs.epoch >= ours.epoch
            and not ours.held_by(self.old.region)
        )

    def _take_back(self, epoch: int, ours: Standing, theirs: Standing) -> Grant:
        """Open the new Region again. It lacks nothing: so it needs no replication, which may be
        why the failover was given up. It takes its own grant first: whoever still waits to open
        the old Region is refused from then on.
        """
        taking = self._grant("closing", epoch)
        self.new.lease.put(taking, after=theirs.grant)
        self.old.lease.put(self._grant("closed", epoch), after=ours.grant)
        self.new.lease.raise_fence(Fence(epoch, self.new.region))
        self.say(f"{self.old.region} has not opened, so {self.new.region} lacks nothing.")
        return self._open(epoch, Standing(taking))

    def _check_holder(self, writer: str | None) -> None:
        """The lease must be the old Region's, or be on its way to the new one."""
        if writer not in (None, self.old.region, self.new.region):
            msg = f"{writer} writes, not {self.old.region}: move it --from {writer}"
            raise FailoverRefused(msg)

    def _closed(self, grant: Grant | None, epoch: int) -> bool:
        try:
            self.old.lease.put(self._grant("closed", epoch), after=grant)
        except (OperationalError, InterfaceError) as error:
            self.say(f"{self.old.region} could not be closed: {error}")
            return False
        return True

    def _wait_for_everything(self, epoch: int) -> None:
        until = self.monotonic() + self.patience.replicated
        self.say(f"Waiting until everything is in {self.new.region}.")
        while True:
            fence = self.new.lease.read().fence
            if fence is not None and fence.epoch >= epoch:
                break
            self._pause(until, [])
        missing = unreplicated(self.old.tables, self.new.tables, self.segments)
        while missing:
            self._pause(until, missing)
            missing = still_missing(self.old.tables, self.new.tables, missing)

    def _pause(self, until: float, missing: list[Missing]) -> None:
        if self.monotonic() > until:
            raise NotReplicated(self.new.region, self.old.region, missing)
        self.sleep(self.patience.poll)

    def _open(self, epoch: int, theirs: Standing) -> Grant:
        opened = self._grant("open", epoch)
        self.new.lease.put(opened, after=theirs.grant)
        self.say(f"{self.new.region} writes now, in epoch {epoch}.")
        return opened

    def _grant(self, state: State, epoch: int) -> Grant:
        return Grant(state, epoch, self.new.region, instant(self.clock()), self.by)
