"""What clients were told, against what stands: once if acknowledged, never if refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from ledger.domain.errors import InsufficientStock, OrderExists, OrderNotFound, Refusal
from ledger.errors import IdempotencyKeyReused
from ledger.service import (
    AdjustStock,
    CancelOrder,
    Outcome,
    PlaceOrder,
    ReceiveStock,
    ReturnStock,
    SetPositionPolicy,
    ShipOrder,
)
from tests.simulation.judge.accounts import Line, Spot
from tests.simulation.judge.books import Books
from tests.simulation.judge.findings import insist
from tests.simulation.judge.history import Commit, Event
from tests.simulation.world.journal import Sent, Try
from tests.simulation.world.wishes import CANDIDATES

ONCE: Final = "8: what was acknowledged is there, once"
REFUSED: Final = "8: what was refused has no effect"
KEYS: Final = "8: the same key with another content is an error"
MEANT: Final = "a commit does what the command asked for"
REMEMBERED: Final = "no refusal on remembered state"


class Promises:
    """Judges the commits of clients as they are taken, and all answers in the end."""

    def __init__(self, journal: Iterable[Sent], books: Books) -> None:
        self._sent = {sent.actor: sent for sent in journal}
        self._books = books
        self._commits: defaultdict[str, list[Commit]] = defaultdict(list)

    def take(self, commit: Commit) -> None:
        """Judge one commit; the books are as they stand right after it."""
        sent = self._sent.get(commit.actor)
        if sent is not None:
            before = self._commits[commit.actor]
            insist(not before, ONCE, f"{sent.actor} wanted {sent.command} once: {before}")
            self._commits[commit.actor].append(commit)
            self._judge_effect(sent, commit)

    def conclude(self) -> None:
        """Judge what everybody was told."""
        for actor, sent in self._sent.items():
            commits = self._commits[actor]
            for attempt in sent.tries:
                self._judge_answer(sent, attempt, commits)
            for attempt in sent.forged:
                told = attempt.told
                insist(not isinstance(told, Outcome | Refusal), KEYS, f"{actor} was told {told!r}")

    def _judge_answer(self, sent: Sent, attempt: Try, commits: Sequence[Commit]) -> None:
        told, stands = attempt.told, [c for c in commits if c.number <= attempt.ended]
        if isinstance(told, Outcome):
            insist(stands, ONCE, f"{sent.actor} was told of {told}, nothing stands")
            events = [(e.stream, e.version, e.hash) for e in stands[0].events]
            answer = [(r.stream, r.version, r.hash) for r in told.events]
            insist(events == answer, ONCE, f"{sent.actor} was told {answer}, {events} stands")
        elif isinstance(told, Refusal):
            insist(not stands, REFUSED, f"{sent.actor} was told {told!r}, {stands} stands")
            self._judge_refusal(sent, attempt, told)
        insist(not isinstance(told, IdempotencyKeyReused), KEYS, f"{sent.actor} has reused no key")

    def _judge_refusal(self, sent: Sent, attempt: Try, told: Refusal) -> None:
        began, ended = attempt.began, attempt.ended
        if isinstance(told, InsufficientStock):
            for short in told.shortfalls:
                assert short.location is not None
                least = self._least((short.sku, short.location), began, ended, 1)
                insist(
                    least <= short.available < short.requested, REMEMBERED,
                    f"{sent.actor} was told {told}; at least {least} were there all the time",
                )  # fmt: skip
        elif isinstance(told, OrderNotFound):
            placed = self._books.existing.get(told.order_id, ended + 1)
            insist(placed > began, REMEMBERED, f"{sent.actor}: {told}, though it was there")
        elif isinstance(told, OrderExists):
            placed = self._books.existing.get(told.order_id, ended + 1)
            insist(placed <= ended, REMEMBERED, f"{sent.actor}: {told}, which it did not")

    def _least(self, spot: Spot, began: int, ended: int, what: int) -> int:
        """The least that was free (1) or available (2) at a position between two commits."""
        least, found = 0, []
        for entry in self._books.past.get(spot, ()):
            if entry[0] <= began:
                least = entry[what]
            elif entry[0] <= ended:
                found.append(entry[what])
        return min((least, *found))

    # What a commit does

    def _judge_effect(self, sent: Sent, commit: Commit) -> None:
        command, events = sent.command, commit.events
        facts = [(e.stream, e.type, e.data) for e in events]
        match command:
            case ReceiveStock():
                wanted = [(x.sku, x.location, x.quantity) for x in command.lines]
                right = _movements(events, "StockReceived", "quantity") == wanted
            case AdjustStock():
                wanted = [(x.sku, x.location, x.delta) for x in command.lines]
                right = _movements(events, "StockAdjusted", "delta") == wanted
            case ReturnStock():
                wanted = [(x.sku, x.location, x.quantity) for x in command.lines]
                fates = [e.data["disposition"] for e in events]
                right = _movements(events, "StockReturned", "quantity") == wanted
                right = right and fates == [x.disposition.value for x in command.lines]
            case SetPositionPolicy():
                told = [e.data.get("low_stock_threshold") for e in events]
                right = told == [command.low_stock_threshold]
            case PlaceOrder():
                right = self._placed(sent, command, commit)
            case ShipOrder():
                right = self._shipped(command, events)
            case CancelOrder():
                right = self._cancelled(command, events)
        insist(right, MEANT, f"{sent.actor} asked for {command}, {facts} stands")

    def _placed(self, sent: Sent, command: PlaceOrder, commit: Commit) -> bool:
        first = commit.events[0]
        order = self._books.orders[first.order_id]
        asked = [(x.sku, x.quantity, x.location) for x in command.lines]
        lines = [order.lines[n] for n in sorted(order.lines)]
        same = asked == [(x.sku, x.quantity, x.location) for x in lines]
        if not same or command.order_id not in (None, order.order_id):
            return False
        if order.policy != command.policy.value or order.customer != command.customer:
            return False
        if order.pending:
            return first.type == "OrderPlaced"  # a large one: its steps are judged by the books
        self._judge_shortage(sent, commit, lines)
        rejected, unfilled = order.units("rejected"), order.units("unfilled")
        match command.policy.value:
            case "all_or_nothing":
                return not order.waiting and not unfilled and (not rejected or not order.reserved)
            case "partial":
                return not order.waiting and (not rejected or not order.reserved)
            case _:
                return not rejected and not unfilled

    def _judge_shortage(self, sent: Sent, commit: Commit, lines: Sequence[Line]) -> None:
        """Nobody goes without what was there from the request to its commit."""
        attempt = next(t for t in sent.tries if t.began < commit.number <= max(t.ended, t.began))
        left: dict[Spot, int] = {}
        lacks: Counter[str] = Counter()
        for line in sorted(lines, key=lambda x: x.location is None):
            need = line.quantity
            for location in (line.location,) if line.location else CANDIDATES:
                spot = line.sku, location
                if spot not in left:
                    left[spot] = self._least(spot, attempt.began, commit.number - 1, 2)
                take = min(need, left[spot])
                left[spot] -= take
                need -= take
            lacks[line.sku] += need
        rejected = any(line.fates["rejected"] for line in lines)
        went: Counter[str] = Counter()
        for line in lines:
            went[line.sku] += line.fates["unfilled"] + line.waiting.total()
        if rejected:
            insist(lacks.total(), REMEMBERED, f"{sent.actor}: rejected, though all was there")
            return
        for sku, units in went.items():
            insist(
                units <= lacks[sku], REMEMBERED,
                f"{sent.actor}: {units} of {sku} short, never more than {lacks[sku]} were",
            )  # fmt: skip

    def _shipped(self, command: ShipOrder, events: Sequence[Event]) -> bool:
        first = events[0]
        if first.order_id != command.order_id:
            return False
        asked: Counter[int] = Counter()
        for line in command.lines or ():
            asked[line.line] += line.quantity
        found: Counter[int] = Counter()
        if first.type == "ShipmentStarted":
            for part in first.data.get("lines") or ():
                found[part["line"]] += part["quantity"]
            return found == asked
        for part in first.data["shipped"]:
            found[part["line"]] += part["reserved"]
        if command.lines is None:
            return first.type == "OrderShipped" and not self._books.orders[first.order_id].reserved
        return first.type == "OrderShipped" and found == asked

    def _cancelled(self, command: CancelOrder, events: Sequence[Event]) -> bool:
        first = events[0]
        if first.order_id != command.order_id:
            return False
        if first.type == "CancellationStarted":
            return True
        order = self._books.orders[first.order_id]
        chosen = list(order.lines) if command.lines is None else command.lines
        lines = [order.lines[n] for n in chosen]
        open_ = sum(x.reserved.total() + x.waiting.total() for x in lines)
        parts = {part["line"] for part in first.data["released"]}
        return first.type == "OrderCancelled" and not open_ and parts <= set(chosen)


def _movements(events: Sequence[Event], kind: str, units: str) -> list[tuple[str, str, int]]:
    """(SKU, location, units) of events that are all of one kind; nothing if they are not."""
    moved = [e for e in events if e.type not in ("StockEscrowed", "PositionLanesSet")]
    if any(event.type != kind for event in moved):
        return []
    return [(*event.spot, event.data[units]) for event in moved]
