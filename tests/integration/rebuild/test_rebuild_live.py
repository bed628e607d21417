"""Views are rebuilt while others commit and project: nothing is missed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ledger.codec import Recorded
from ledger.domain.errors import Refusal
from ledger.domain.values import OrderPolicy
from ledger.errors import Contention
from ledger.service import Context, Ledger
from ledger.service import commands as c
from projections.generations import Generations, Registry
from projections.rebuild import claim
from projections.rebuild.rebuild import Rebuild
from projections.runner import Runner
from projections.views import View
from tests.support.engines import Engines
from tests.support.event_stores import ATOMIC
from tests.support.rebuilding import ORDERS, STOCK, VIEWS, Site, completed, rows, site

TRUSTED, SETTLE = 0.4, 1.0
WRITERS, PAUSE = 4, 0.02
WORK: tuple[tuple[View[Any], int], ...] = ((STOCK, 2), (ORDERS, 2), (ORDERS, 3))


@pytest.fixture(params=ATOMIC)
def shop(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    engines: Engines,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """A site where settling takes no longer than it must."""
    monkeypatch.setattr(claim, "SETTLE_SECONDS", SETTLE)
    with site(request.param, tmp_path, engines) as shop:
        shop.page = 60
        yield shop


class Traffic:
    """Writers, and one who applies what they tell of, or follows the log; each in a thread."""

    def __init__(self, shop: Site) -> None:
        self._shop = shop
        self._told: queue.Queue[Sequence[Recorded]] = queue.Queue()
        self._quiet = threading.Event()
        self._written = threading.Event()
        self.failures: list[BaseException] = []
        self.commits = 0
        self._writers = [self._thread(self._write, n) for n in range(WRITERS)]
        self._runner = self._thread(self._apply)

    def __enter__(self) -> Traffic:
        for thread in (*self._writers, self._runner):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let everything come to its end: nobody writes any more, and all is applied."""
        self._quiet.set()
        for writer in self._writers:
            writer.join(60)
        self._written.set()
        self._runner.join(60)

    def _thread(self, work: object, *arguments: int) -> threading.Thread:
        def run() -> None:
            try:
                work(*arguments)  # type: ignore[operator]
            except BaseException as error:
                self.failures.append(error)

        return threading.Thread(target=run)

    def _write(self, writer: int) -> None:
        ledger = Ledger(self._shop.open_recorder(), locations=("A", "B"))
        ledger.listen(lambda events: self._told.put(tuple(events)))
        number = 0
        while not self._quiet.is_set():
            number += 1
            sku = f"S{number % 7}"
            order = c.PlaceOrder(
                (c.OrderRequestLine(sku, 2, "A"),),
                order_id=f"O{writer}-{number}",
                policy=OrderPolicy.BACKORDER,
            )
            for command in (c.ReceiveStock((c.ReceiptLine(sku, "A", 2),)), order):
                try:
                    ledger.handle(command, Context())
                    self.commits += 1
                except (Refusal, Contention):
                    pass
            time.sleep(PAUSE)

    def _apply(self) -> None:
        """Apply what is told of, knowing of generations what was so a while ago."""
        store = self._shop.open_views()
        registry = Registry(store, trusted=TRUSTED)
        runner = Runner(self._shop.open_recorder(), store, VIEWS, registry)
        while not (self._written.is_set() and self._told.empty()):
            if self._shop.has_log:
                runner.catch_up(50)
                while not self._told.empty():
                    self._told.get()
                continue
            try:
                events = list(self._told.get(timeout=0.1))
            except queue.Empty:
                continue
            while not self._told.empty() and len(events) < 50:
                events += self._told.get()
            runner.apply(events).check()
        registry.forget()
        while self._shop.has_log and runner.catch_up():
            pass


def test_a_rebuild_misses_nothing(shop: Site) -> None:
    """By processes of their own, and one view twice, so that a generation leaves as well."""
    with Traffic(shop) as traffic:
        for view, generation in WORK:
            rebuild = Rebuild(shop.open_views(), shop.history(shop.open_recorder()), view)
            now = completed(rebuild, 3)
            assert now == Generations(generation, (generation - 1, generation), generation)

    assert traffic.failures == []
    assert traffic.commits > 20
    for view in VIEWS:
        shop.check(view)
    if shop.has_log:
        # Nobody waited for whoever was in the middle of a page: the next rebuild clears up.
        shop.rebuilt(ORDERS)
    assert rows(shop.views, ORDERS) == {}, "what was discarded is gone"


def test_two_who_rebuild_one_view_at_once(shop: Site) -> None:
    """One of them carries it through; the other one is told."""
    outcomes: list[object] = []

    def rebuild() -> None:
        one = Rebuild(shop.open_views(), shop.history(shop.open_recorder()), STOCK)
        try:
            outcomes.append(completed(one, 2))
        except claim.TakenOver as error:
            outcomes.append(error)

    with Traffic(shop) as traffic:
        threads = [threading.Thread(target=rebuild) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

    assert traffic.failures == []
    assert len(outcomes) == 3
    done = [found for found in outcomes if isinstance(found, Generations)]
    assert done
    assert shop.views.rebuilding(STOCK) is None
    assert shop.views.generations(STOCK) == done[-1]
    shop.check(STOCK)
