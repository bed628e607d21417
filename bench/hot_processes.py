"""Eight processes on one SKU beside the same load on eight SKUs: how much, and how fairly.

And beside one process that has the SKU to itself: commits of one position come one after another,
so that is what there is to be shared. Over DynamoDB also with positions that split themselves when
processes contend for them (`auto_lanes`), from one stream on in every round.

Through the service and its own retries, on one SQLite file and on the DynamoDB engines. At last
they buy what is there of a SKU until it is sold out. The run ends if the ledger counts otherwise
than the buyers, or if anything but exactly the stock was sold.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Final, NamedTuple

from bench.dynamodb import ENGINES, context, on, open_ledger
from bench.hot_buyers import PROCESSES, Bought, Buyers, buyers
from bench.measured import Aim, Measured, Report, detail, in_turns
from ledger.service import Ledger, ReceiptLine, ReceiveStock
from ledger.store.sqlite import open_recorder
from tests.support.engines import EngineName

SECONDS: Final = 3.0
ROUNDS: Final = 3
STOCK: Final = 1_000_000
LANES: Final = 16
DIVIDING: Final = f"SKU that splits itself into {LANES}"
FEW: Final = 100
"""What there is to be sold out of: more than one unit for each."""

Told = list[Bought]
"""What each process came to."""


class Round(NamedTuple):
    """One after the other."""

    hot: Told
    """All on one SKU."""
    cold: Told
    """Each on one of its own."""
    alone: Told
    """One process, on one SKU."""
    dividing: Told
    """All on one SKU that they split when it is contended; nobody, where they queue."""


class Store(NamedTuple):
    """A store, and the processes that buy there."""

    name: str
    ledger: Ledger
    buyers: Buyers
    dividing: Buyers | None = None
    """Others, that split what is contended."""


def run() -> Report:
    """Every store in turn."""
    rows: list[Measured] = []
    cells: list[list[object]] = []
    for opened in (_sqlite, *map(_engine, ENGINES)):
        with opened() as store:
            rounds = _rounds(store)
            _sell_out(store)
            rows += _rows(store.name, rounds)
            labels = ("one SKU", f"{PROCESSES} SKUs", "one process alone", DIVIDING)
            cells += (
                _cells(f"{store.name}: {label}", list(told))
                for label, told in zip(labels, zip(*rounds, strict=True), strict=True)
                if any(told)
            )
    columns = (
        "",
        "orders/s",
        "slowest/mean",
        "tries per order",
        "units wasted",
        "p50 ms",
        "p99 ms",
    )
    return Report(rows, [detail(f"{PROCESSES} processes", columns, cells)])


@contextmanager
def _sqlite() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ledger.db")
        ledger = Ledger(open_recorder(path))
        with buyers(f"sqlite:{path}") as running:
            yield Store("SQLite", ledger, running)
        ledger.close()


def _engine(name: EngineName) -> Callable[[], AbstractContextManager[Store]]:
    @contextmanager
    def opened() -> Iterator[Store]:
        with on(name) as (endpoint, prefix):
            settings = f"dynamodb:{prefix}", {"AWS_ENDPOINT_URL_DYNAMODB": endpoint}
            with buyers(*settings) as running, buyers(*settings, LANES) as dividing:
                yield Store(name, open_ledger(endpoint, prefix), running, dividing)

    return opened


def _rounds(store: Store) -> list[Round]:
    """Each with SKUs of its own, so that all are as short."""
    numbers = iter(range(2 * ROUNDS))

    def hot() -> list[Told]:
        number = next(numbers)
        whole = _bought(store, [f"HOT-{number}"] * PROCESSES)
        if store.dividing is None:
            return [whole, []]
        return [whole, _bought(store, [f"SPLIT-{number}"] * PROCESSES, store.dividing)]

    def others() -> list[Told]:
        number = next(numbers)
        cold = _bought(store, [f"COLD-{number}-{process}" for process in range(PROCESSES)])
        return [cold, _bought(store, [f"ALONE-{number}"])]

    return [
        Round(hot, cold, alone, dividing)
        for (hot, dividing), (cold, alone) in in_turns(ROUNDS, hot, others)
    ]


def _bought(store: Store, skus: Sequence[str], by: Buyers | None = None) -> Told:
    _stock_up(store.ledger, skus, STOCK)
    told = (by or store.buyers).buy(skus, SECONDS)
    _check(store.ledger, skus, Bought.together(told).sold, STOCK)
    return told


def _sell_out(store: Store) -> None:
    """More is wanted than there is."""
    for sku, by in (("LAST", store.buyers), ("LAST-SPLIT", store.dividing)):
        if by is not None:
            _stock_up(store.ledger, [sku], FEW)
            told = by.buy([sku] * PROCESSES, 60.0)
            _check(store.ledger, [sku], Bought.together(told).sold, FEW, sold_out=True)


def _stock_up(ledger: Ledger, skus: Sequence[str], quantity: int) -> None:
    lines = tuple(ReceiptLine(sku, "main", quantity) for sku in dict.fromkeys(skus))
    ledger.handle(ReceiveStock(lines), context())


def _check(
    ledger: Ledger, skus: Sequence[str], sold: int, stock: int, *, sold_out: bool = False
) -> None:
    levels = [ledger.history.position(f"stock:{sku}@main") for sku in dict.fromkeys(skus)]
    reserved = sum(level.balance.reserved for level in levels if level is not None)
    if reserved != sold or (sold != stock if sold_out else sold > stock * len(levels)):
        msg = f"{sold} of {stock} were sold, the positions say {reserved}"
        raise RuntimeError(msg)


def _rows(store: str, rounds: Sequence[Round]) -> list[Measured]:
    rows = _rows_of(f"{PROCESSES} processes on one SKU, {store}", rounds)
    if any(one.dividing for one in rounds):
        divided = [one._replace(hot=one.dividing) for one in rounds]
        rows += _rows_of(f"{PROCESSES} processes on one {DIVIDING}, {store}", divided)
    return rows


def _rows_of(what: str, rounds: Sequence[Round]) -> list[Measured]:
    hot, cold, alone, _ = (list(map(Bought.together, told)) for told in zip(*rounds, strict=True))
    rates = [f"{median(run.sold for run in runs) / SECONDS:.0f}" for runs in (hot, cold, alone)]
    rows = [
        Measured.of(
            what,
            f"as many on {PROCESSES} SKUs",
            Aim("≥", 0.4),
            [one.sold / other.sold for one, other in zip(hot, cold, strict=True)],
            f"{rates[0]} orders/s beside {rates[1]}; exactly the stock sold",
        ),
        Measured.of(
            what,
            "one of them alone on it",
            None,
            [one.sold / other.sold for one, other in zip(hot, alone, strict=True)],
            f"{rates[0]} orders/s beside {rates[2]}, commit after commit",
        ),
        Measured.of(
            f"the slowest of {what}",
            "their mean",
            Aim("≥", 0.25),
            [_slowest(one.hot) for one in rounds],
            f"on {PROCESSES} SKUs: {median(_slowest(one.cold) for one in rounds):.2f}",
        ),
        Measured.of(
            f"told to come back (503) of {what}",
            "all orders",
            None,
            [run.busy / (run.busy + run.sold) for run in hot],
            f"{sum(run.busy for run in hot)} of {sum(run.busy + run.sold for run in hot)}",
        ),
    ]
    if any(run.units for run in hot):
        wasted = [run.units - run.stood for run in hot]
        row = Measured.of(
            f"write units of cancelled transactions of {what}",
            "all write units",
            None,
            [units / run.units for units, run in zip(wasted, hot, strict=True)],
            f"{sum(wasted) / sum(run.sold for run in hot):.1f} units an order",
        )
        rows.append(row)
    return rows


def _slowest(told: Told) -> float:
    return min(one.sold for one in told) * len(told) / Bought.together(told).sold


def _cells(label: str, rounds: Sequence[Told]) -> list[object]:
    runs = Bought.together([one for told in rounds for one in told])
    cuts = quantiles(runs.milliseconds, n=100)
    return [
        label,
        f"{runs.sold / SECONDS / len(rounds):.0f}",
        f"{median(map(_slowest, rounds)):.2f}",
        f"{runs.tries / runs.sold:.2f}",
        f"{1 - runs.stood / runs.units:.0%}" if runs.units else "",
        f"{cuts[49]:.1f}",
        f"{cuts[98]:.1f}",
    ]
