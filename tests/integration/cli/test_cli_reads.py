"""`ledger events`, `stock` and `schemas`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema_rs
import pytest

from ledger.cli.schemas import schema_of
from ledger.domain.events import CATALOGUE
from tests.integration.cli.support import error_of, run
from tests.integration.importing_support import (
    STOCK_SAMPLE,
    event_count,
    ledger_in,
)


@pytest.mark.usefixtures("imported")
def test_stock_has_totals() -> None:
    lines = run("stock").stdout.splitlines()

    assert lines[0].split() == (
        "SKU Location On hand Reserved Backordered Damaged Available".split()  # noqa: SIM905
    )
    assert [line.split() for line in lines if line.startswith("83005")] == [
        ["83005", "main", "1", "0", "0", "0", "1"]
    ]
    assert lines[-2].split() == ["19", "positions", "1", "0", "0", "0", "1"]
    assert lines[-1].startswith("As of ")


def test_stock_as_csv_and_filtered() -> None:
    run("import", "--format", "stock-csv", STOCK_SAMPLE)

    rows = list(csv.DictReader(io.StringIO(run("stock", "--below", "6", "--csv").stdout)))

    assert [(row["sku"], row["available"]) for row in rows] == [("33321", "5"), ("51770", "4")]
    one = list(csv.DictReader(io.StringIO(run("stock", "20415", "--csv").stdout)))
    assert [(row["location"], row["on_hand"]) for row in one] == [("main", "35")]
    assert "No such stock." in run("stock", "nothing").stdout
    assert "No such stock." in run("stock", "--location", "moon").stdout


def test_many_positions_are_all_printed(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    rows = "".join(f"S{number:04},main,1\n" for number in range(1_201))
    path.write_text(f"sku,location,quantity\n{rows}", encoding="utf-8")
    run("import", "--format", "stock-csv", path)

    assert len(run("stock", "--csv").stdout.splitlines()) == 1_202


@pytest.mark.usefixtures("imported")
def test_events_of_a_stream() -> None:
    lines = run("events", "--stream", "order:700002").stdout.splitlines()

    assert [line.split()[:1] + line.split()[5:6] for line in lines[1:]] == [
        ["1", "OrderPlaced"],
        ["2", "OrderShipped"],
    ]


@pytest.mark.usefixtures("imported")
def test_events_page_and_filter() -> None:
    lines = run("events", "--limit", "3", "--type", "StockReturned").stdout.splitlines()
    assert len(lines) == 5
    assert "There are more: --after" in lines[-1]
    assert "→ 1 on hand, 0 reserved, reference invoice C700003" in lines[1]

    last = lines[3].split()[0]
    rest = run("events", "--after", last, "--type", "StockReturned").stdout.splitlines()
    assert len(rest) == 1 + 3
    assert "No such events." in run("events", "--after", "100000").stdout


@pytest.mark.usefixtures("imported")
def test_events_as_json_lines_are_whole(tmp_path: Path) -> None:
    told = [json.loads(line) for line in run("events", "--jsonl").stdout.splitlines()]

    assert len(told) == event_count(ledger_in(tmp_path)) > 100
    assert [event["position"] for event in told] == list(range(1, len(told) + 1))
    validators = {
        name: jsonschema_rs.validator_for(schema_of(CATALOGUE[name]))
        for name in {event["type"] for event in told}
    }
    for event in told:
        validators[event["type"]].validate(event)
    assert len(run("events", "--jsonl", "--limit", "2").stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stream", "A@main"], "write stock:SKU@LOCATION or order:ORDER_ID"),
        (["--stream", "stock:A"], "write stock:SKU@LOCATION or order:ORDER_ID"),
        (["--stream", "stock:A@main#x"], "write stock:SKU@LOCATION or order:ORDER_ID"),
        (["--stream", "order:"], "write stock:SKU@LOCATION or order:ORDER_ID"),
        (["--type", "StockReservd"], "Did you mean StockReserved?"),
        (["--type", "xyz"], "There are: BackorderAllocated, "),
    ],
)
def test_events_that_can_not_be(arguments: list[str], said: str) -> None:
    assert said in error_of("events", *arguments)


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize(
    "command", [("events", "--after"), ("events", "--limit"), ("stock", "--below")]
)
def test_a_number_that_no_ledger_reaches(command: tuple[str, str]) -> None:
    run(*command, 2**53 - 1)
    assert f"Invalid value for '{command[1]}'" in run(*command, 10**23, code=2).stderr


def test_money_and_lanes_in_a_table() -> None:
    path = Path("costs.csv")
    path.write_text("sku,location,quantity,unit_cost,currency\nA,main,9,255,GBP\n", "utf-8")
    run("import", "--format", "stock-csv", path)
    run("lanes", "A", "main", "--count", "2")

    assert run("stock").stdout.splitlines()[-2].split()[:3] == ["1", "position", "9"]
    told = run("events", "--stream", "stock:A@main").stdout

    assert "quantity 9, cost amount 255 currency GBP, →" in told
    assert "lanes count 2 streams 2 gathered " in told


def test_schemas_of_every_event(tmp_path: Path) -> None:
    printed = json.loads(run("schemas").stdout)
    run("schemas", "--out", tmp_path / "new" / "schemas")

    written = {path.name for path in (tmp_path / "new" / "schemas").iterdir()}
    assert set(printed) == set(CATALOGUE)
    assert written == {f"{name}.{kind.schema_version}.json" for name, kind in CATALOGUE.items()}
    file = (tmp_path / "new" / "schemas" / "StockReceived.2.json").read_text(encoding="utf-8")
    assert json.loads(file) == printed["StockReceived"]


@pytest.mark.usefixtures("imported")
def test_a_schema_refuses_what_is_no_such_event() -> None:
    (event,) = map(json.loads, run("events", "--jsonl", "--limit", "1").stdout.splitlines())
    validator = jsonschema_rs.validator_for(schema_of(CATALOGUE["StockReceived"]))

    assert validator.is_valid({**event, "added_later": 1})
    assert not validator.is_valid({**event, "schema": 1})
    assert not validator.is_valid({**event, "data": {**event["data"], "quantity": 0}})
    assert not validator.is_valid({key: event[key] for key in event if key != "hash"})


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert "can't be used" in error_of("schemas", "--out", tmp_path / "file" / "below")
