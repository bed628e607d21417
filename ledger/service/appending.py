"""The single write path: decide, seal, append; try again when another commit was first."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection, Iterable

from ledger.codec import Recorded
from ledger.domain.errors import LawBroken, Refusal
from ledger.domain.lanes import MAX_LANES
from ledger.domain.order import Order
from ledger.domain.position import Position
from ledger.domain.streams import is_order, is_stock
from ledger.errors import (
    CommandRecorded,
    Contention,
    LeaseUnreadable,
    NotTheWriter,
    UnknownOutcome,
    VersionConflict,
)
from ledger.service.attempts import Command, Knowledge, Retry
from ledger.service.clock import Clock
from ledger.service.heads import HeadCache, head_of, in_lanes, spread, worth_remembering
from ledger.service.history import History
from ledger.service.locks import Held, StreamLocks
from ledger.service.outcome import Outcome
from ledger.service.records import Records, record_of
from ledger.service.rivals import Rivals
from ledger.service.sealing import Commit, seal
from ledger.service.session import Session, StaleRead
from ledger.store.base import CommandRecord, LedgerRecorder, Line, Queued

log = logging.getLogger(__name__)

NOTHING = Outcome(())


class Appender:
    """Appends the commits of one process."""

    def __init__(
        self,
        recorder: LedgerRecorder,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        region: str,
        cache_size: int,
        retry: Retry,
        auto_lanes: int = 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._recorder = recorder
        self._records = Records(recorder)
        self._clock = clock
        self._new_id = new_id
        self._region = region
        self._cache = HeadCache(cache_size)
        self._locks = StreamLocks()
        self._retry = retry
        self._rivals = Rivals(retry, clock)
        self._auto_lanes = auto_lanes
        self._sleep = sleep
        # The lane that is tried first: a process keeps to its own as long as nobody else does.
        self._home = random.randrange(MAX_LANES)  # noqa: S311 (no secret)
        self._listeners: list[Callable[[tuple[Recorded, ...]], None]] = []

    def listen(self, listener: Callable[[tuple[Recorded, ...]], None]) -> None:
        """Call `listener` with the events of every commit of this process, after it stands."""
        self._listeners.append(listener)

    def forget(self) -> None:
        """Remember nothing any more: commits that were counted on may not stand."""
        self._cache.clear()

    def look(self, streams: Iterable[str], *, remembered: bool) -> dict[str, Position]:
        """Positions as they are, or as they are remembered; what is read is remembered."""
        session = Session(self._recorder, self._cache, fresh=not remembered)
        positions = session.positions(streams)
        self._cache.put(session.heads)
        return positions

    def glance(self, order_id: str) -> Order | None:
        """An order, perhaps as it is remembered: good for choosing locks, never for refusing.

        What is read is remembered, so that the command that takes the locks need not read it.
        """
        session = Session(self._recorder, self._cache)
        order = session.order(order_id)
        self._cache.put(worth_remembering(session.heads))
        return order

    def run(self, command: Command, streams: Collection[str]) -> Outcome:
        """Decide and append, holding this process's locks of `streams`.

        Raises
        ------
        Refusal
            The domain says no, on state that was read strongly; the command was not recorded.
        IdempotencyKeyReused
            The key was used before with another content.
        Contention
            Every try met another commit.
        UnknownOutcome
            The store can't say whether the commit stands; the same key may be tried again.
        NotTheWriter, LeaseUnreadable
            Another Region writes, or it is not known which does; nothing was recorded.
        """
        known = Knowledge()
        with self._locks.hold(streams) as held:
            self._keep_away(streams, known)
            for _ in range(self._retry.attempts):
                held.take()
                try:
                    outcome = self._attempt(command, known, held)
                except (NotTheWriter, LeaseUnreadable) as error:
                    if known.lost:
                        raise UnknownOutcome(f"an answer was lost, and then {error}") from error
                    raise
                if outcome is not None:
                    return outcome
        raise Contention(f"gave up after {known.conflicts} conflicting commits")

    def _keep_away(self, streams: Collection[str], known: Knowledge) -> None:
        """Give way to those who wait for contended streams, and don't trust memory of them."""
        contended = self._rivals.among(streams)
        if contended:
            known.stale |= contended.keys()
            self._sleep(self._retry.pause(max(contended.values())))

    def _attempt(self, command: Command, known: Knowledge, held: Held) -> Outcome | None:
        """One try; None means try again with what was learned.

        Neither a refusal nor "nothing to do" is concluded from remembered state, nor anything in
        a Region that doesn't write: what it holds may be behind.
        """
        self._recorder.permit()
        session = Session(
            self._recorder,
            self._cache,
            fresh=known.fresh,
            stale=known.stale,
            existing=known.existing,
            home=self._home,
            split_into=self._split_into,
        )
        try:
            drafts = command.decide(session)
        except StaleRead as error:
            known.stale |= error.streams
            return None
        except LawBroken:
            if not session.remembered and not session.moved():
                raise
            self._disturbed(known)
            return None
        except Refusal:
            if session.remembered:
                known.fresh = True
                return None
            if not self._proven(session, known):
                return None
            replay = self._records.recall(command)
            if replay is None:
                raise
            return replay
        if not drafts:
            if session.remembered:
                known.fresh = True
                return None
            self._cache.put(worth_remembering(session.heads))
            return NOTHING
        commit = seal(
            drafts,
            session.heads,
            now=self._clock(),
            new_id=self._new_id,
            actor=command.actor,
            region=self._region,
        )
        return self._append(command, commit, session, known, held)

    def _append(
        self, command: Command, commit: Commit, session: Session, known: Knowledge, held: Held
    ) -> Outcome | None:
        try:
            self._insert(commit, record_of(command, commit), session, held)
        except CommandRecorded as error:
            return self._found_standing(known) or self._records.replay(command, error.record)
        except VersionConflict as conflict:
            self._learn(conflict, session, known)
            return None
        except UnknownOutcome:
            self._cache.drop(session.heads)
            known.fresh = True
            known.lost.append((commit, session))
            return self._found_standing(known) or self._records.recall(command)
        return self._stand(commit, session)

    def _proven(self, session: Session, known: Knowledge) -> bool:
        """Whether a refusal that looked at several streams saw all of them at one moment."""
        if not session.unmoved:
            return True
        try:
            self._recorder.insert_events((), unmoved=session.unmoved)
        except VersionConflict as conflict:
            self._learn(conflict, session, known)
            return False
        except UnknownOutcome:
            return False  # nothing was to be written: ask again
        return True

    def _insert(
        self, commit: Commit, record: CommandRecord | None, session: Session, held: Held
    ) -> None:
        """Append, or nothing.

        Where commits queue, the next command may decide on this one as soon as it is in the queue,
        and shares the wait for the disk: it says so, and falls if this one falls.
        """
        if not self._recorder.queues:
            self._recorder.insert_events(commit.stored, command=record, unmoved=session.unmoved)
            return
        heads = worth_remembering(session.after(commit.recorded))

        def queued(entry: Queued) -> None:
            self._cache.put({s: head._replace(queued=entry) for s, head in heads.items()})
            held.release()

        line = Line([h.queued for h in session.heads.values() if h.queued is not None], queued)
        try:
            self._recorder.insert_events(
                commit.stored, command=record, unmoved=session.unmoved, line=line
            )
        except BaseException:
            self._cache.drop(heads)
            raise

    def _disturbed(self, known: Knowledge) -> None:
        """Streams moved between the reads of one decision: read all of them again."""
        if known.fresh:
            known.conflicts += 1
            self._sleep(self._retry.pause(known.conflicts - 1))
        known.fresh = True

    def _learn(self, conflict: VersionConflict, session: Session, known: Knowledge) -> None:
        known.conflicts += 1
        if in_lanes(session.heads):
            self._home = random.randrange(MAX_LANES)  # noqa: S311 (no secret)
        known.existing |= {stream for stream in conflict.newest if is_order(stream)}
        self._cache.drop(session.heads)
        level = self._outrun(conflict, session, known)
        if level == 0 and conflict.newest:
            newer = {
                stream: head_of(stored)
                for stream, stored in conflict.newest.items()
                if is_stock(stream)
            }
            kept = {s: h for s, h in session.heads.items() if s not in conflict.newest}
            self._cache.put({**worth_remembering(kept), **newer})
        else:
            known.fresh = True
            self._sleep(self._retry.pause(level))

    def _outrun(self, conflict: VersionConflict, session: Session, known: Knowledge) -> int:
        """How contended the streams of a conflict are. 0: that was the first one lately.

        Where commits queue, they take turns: nobody is to keep away.
        """
        if self._recorder.queues:
            return known.conflicts - 1
        return self._rivals.lost(conflict.newest or session.seen)

    def _split_into(self, stream: str) -> int:
        """How many lanes an order should split a position into because it is contended."""
        crowded = self._auto_lanes > 1 and self._rivals.crowd(stream)
        return self._auto_lanes if crowded else 1

    def _stand(self, commit: Commit, session: Session) -> Outcome:
        """The commit stands: remember its heads and tell who listens."""
        heads = session.after(commit.recorded)
        lanes = in_lanes({**session.heads, **heads})
        self._rivals.won(heads)
        self._rivals.forget(spread(lanes))
        self._cache.put(worth_remembering({**lanes, **heads}))
        for listener in self._listeners:
            listener(commit.recorded)
        orders = [heads[stream].state for stream in heads if is_order(stream)]
        order = orders[0] if orders else None
        return Outcome(commit.recorded, order)  # type: ignore[arg-type]

    def _found_standing(self, known: Knowledge) -> Outcome | None:
        """The outcome of a lost commit that stands after all; one event tells for the whole."""
        for commit, session in known.lost:
            first = commit.recorded[0]
            stored = History(self._recorder).at_version(first.stream, first.version)
            if stored is not None and stored.hash == first.hash:
                return self._stand(commit, session)
        return None
