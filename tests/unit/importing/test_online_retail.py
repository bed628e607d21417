from pathlib import Path

import pytest

from ledger.importing.online_retail import FEES, Kind, Row, read_invoices, read_row
from ledger.importing.table import Fields


def row(invoice: str, code: str, quantity: str, **more: str) -> Row:
    fields = {"InvoiceNo": invoice, "StockCode": code, "Quantity": quantity, **more}
    return read_row(Fields(7, fields))


@pytest.mark.parametrize(
    ("invoice", "code", "quantity", "kind"),
    [
        ("700001", "10101A", "6", Kind.SALE),
        ("700001", "10101a", "+6", Kind.SALE),
        ("700001", "gift_0001_20", "1", Kind.SALE),
        ("C700001", "10101A", "-6", Kind.RETURN),
        ("700001", "10101A", "-6", Kind.ADJUSTMENT),
        ("700001", "10101A", "0", Kind.ZERO),
        ("C700001", "10101A", "0", Kind.ZERO),
        ("700001", "POST", "1", Kind.FEE),
        ("C700001", "D", "-1", Kind.FEE),
        ("700001", "m", "3", Kind.FEE),
        ("700001", "BANK CHARGES", "1", Kind.FEE),
        ("700001", "D", "-1", Kind.FEE),
        ("C700001", "10101A", "6", Kind.UNREADABLE),
    ],
)
def test_every_row_means_one_thing(invoice: str, code: str, quantity: str, kind: Kind) -> None:
    found = row(invoice, code, quantity)

    assert (found.kind, found.quantity, found.line) == (kind, int(quantity), 7)


@pytest.mark.parametrize("code", sorted(FEES))
def test_a_fee_is_named(code: str) -> None:
    assert row("700001", code, "1").note == f"{code} ({FEES[code]})"


@pytest.mark.parametrize(
    ("invoice", "code", "quantity", "why"),
    [
        ("", "10101A", "1", "InvoiceNo ''"),
        ("7:1", "10101A", "1", "InvoiceNo '7:1'"),
        ("700001", "", "1", "StockCode ''"),
        ("700001", "A@B", "1", "StockCode 'A@B'"),
        ("700001", "A" * 65, "1", "at most 64"),
        ("700001", "10101A", "", "Quantity ''"),
        ("700001", "10101A", "1.5", "Quantity '1.5' is no integer"),
        ("700001", "10101A", "\u0661", "is no integer"),
        ("700001", "10101A", "1000000001", "larger than"),
        ("700001", "10101A", "9" * 20, "is no integer from -1000000000 to 1000000000"),
        ("700001", "POST", "many", "is no integer"),
    ],
)
def test_an_unreadable_row_says_why(invoice: str, code: str, quantity: str, why: str) -> None:
    found = row(invoice, code, quantity)

    assert found.kind is Kind.UNREADABLE
    assert why in found.note


def test_a_ragged_row_is_unreadable() -> None:
    fields = {"InvoiceNo": "700001", "StockCode": "10101A", "Quantity": "1"}

    assert read_row(Fields(7, fields, "too short")).note == "too short"


def test_a_customer_number_loses_the_decimals_of_a_spreadsheet() -> None:
    assert row("700001", "10101A", "1", CustomerID="41001.0").customer == "41001"


def test_the_rows_of_an_invoice_belong_together_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "retail.csv"
    path.write_text("InvoiceNo,StockCode,Quantity\n2,A,1\n1,B,1\n2,C,1\n2,C,1\n", encoding="utf-8")

    invoices = read_invoices(path)

    assert [(i.number, [r.sku for r in i.rows]) for i in invoices] == [
        ("2", ["A", "C", "C"]),
        ("1", ["B"]),
    ]
    assert invoices[0].customer is None
    assert invoices[0].date == ""
