"""Puts the tables of `cost.md` in place, computed from `cost.toml`.

Change a price or a unit in `cost.toml`, and run `python docs/cost.py`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent

Cost = dict[str, Any]
"""What `cost.toml` holds: prices, and how many of what is used."""


def load() -> Cost:
    """Prices and units as they are written down."""
    return tomllib.loads((HERE / "cost.toml").read_text(encoding="utf-8"))


def dollars(cost: Cost, line: dict[str, Any], column: str, times: float = 1) -> float:
    """What a column of a line comes to in US dollars."""
    price = cost["price"][line["price"]]
    return float(line[column] * times * price["usd"] / price["per"])


def idle(cost: Cost) -> str:
    """A month in which nothing happens."""
    columns = ("dev", "prod", "second")
    head = ("what", "dev", "prod", "a second Region that runs the application adds")
    return _table(cost, "idle", ("what",), columns, head, 1)


def orders(cost: Cost) -> str:
    """A million orders."""
    columns = ("units", "replica", "second")
    head = ("what", "from", "one Region", "a replica adds", "the application there adds")
    return _table(cost, "order", ("what", "basis"), columns, head, cost["of"]["orders"])


def prices(cost: Cost) -> str:
    """What is paid for, and where the price was found."""
    rows = [
        (each["unit"], _price(each["usd"]), f"{each['per']:,}", each["source"])
        for each in cost["price"].values()
    ]
    return _rows(("unit", "$", "for", "source"), rows)


TABLES: Final[dict[str, Callable[[Cost], str]]] = {
    "idle": idle,
    "orders": orders,
    "prices": prices,
}


def filled(page: str, cost: Cost) -> str:
    """The page with each table between its marks."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        pattern = re.escape(begin) + ".*?" + re.escape(end)
        count = len(re.findall(pattern, page, re.DOTALL))
        if count != 1:
            raise ValueError(f"cost.md has {count} places for the table {name}")
        text = (begin + table(cost) + end).replace("\\", r"\\")
        page = re.sub(pattern, text, page, flags=re.DOTALL)
    return page


def _table(
    cost: Cost,
    kind: str,
    words: Sequence[str],
    columns: Sequence[str],
    head: Sequence[str],
    times: float,
) -> str:
    lines = cost[kind]
    sums = [sum(dollars(cost, line, column, times) for line in lines) for column in columns]
    rows = [
        [line[word] for word in words]
        + [_amount(dollars(cost, line, column, times)) for column in columns]
        for line in lines
    ]
    total = ["**sum**", *[""] * (len(words) - 1), *(f"**{each:,.0f}**" for each in sums)]
    return _rows(head, [*rows, total])


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _amount(usd: float) -> str:
    return f"{usd:,.2f}" if usd else ""


def _price(usd: float) -> str:
    return f"{usd:.10f}".rstrip("0").rstrip(".") if usd < 0.001 else f"{usd:g}"


if __name__ == "__main__":
    PAGE = HERE / "cost.md"
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), load()), encoding="utf-8")
