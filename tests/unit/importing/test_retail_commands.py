from ledger.domain.balance import Balance
from ledger.domain.values import MAX_QUANTITY, MAX_TEXT_LENGTH, OrderPolicy
from ledger.importing import retail_commands as retail
from ledger.importing.online_retail import Invoice, Kind, Row


def invoice(kind: Kind, *quantities: int, number: str = "700001") -> Invoice:
    rows = [
        Row(line, number, f"S{line}", quantity, kind, description="damages", date="2026-03-02")
        for line, quantity in enumerate(quantities, 2)
    ]
    return Invoice(number, rows)


def test_an_order_has_one_line_per_row_and_the_invoice_s_number() -> None:
    bought = invoice(Kind.SALE, 3, 4)
    bought.rows.append(bought.rows[0])

    order = retail.place_order(bought, "main", OrderPolicy.PARTIAL)

    assert order.order_id == "700001"
    assert order.policy is OrderPolicy.PARTIAL
    assert [(line.sku, line.quantity, line.location) for line in order.lines] == [
        ("S2", 3, "main"),
        ("S3", 4, "main"),
        ("S2", 3, "main"),
    ]


def test_a_shipment_keeps_the_invoice_s_date() -> None:
    assert retail.ship_order(invoice(Kind.SALE, 1)).reference == "invoice 700001 of 2026-03-02"


def test_returns_are_one_commit_or_name_their_part_of_the_whole() -> None:
    ((small, _),) = retail.returns(invoice(Kind.RETURN, -1, -2), "main")
    assert {line.reference for line in small.lines} == {"invoice 700001 of 2026-03-02"}

    large = retail.returns(invoice(Kind.RETURN, *[-1] * 91), "main")
    assert [len(command.lines) for command, _ in large] == [90, 1]
    changed = retail.returns(invoice(Kind.RETURN, *[-1] * 90, -2), "main")
    for (before, _), (after, _) in zip(large, changed, strict=True):
        assert before.lines[0].reference != after.lines[0].reference


def test_corrections_stand_alone_and_carry_their_reason() -> None:
    (first, _), (second, row) = retail.adjustments(invoice(Kind.ADJUSTMENT, -1, -2), "main")

    assert [line.delta for line in (*first.lines, *second.lines)] == [-1, -2]
    assert second.lines[0].reason == "damages"
    assert "2 of 2, rows " in (second.lines[0].reference or "")
    assert row.line == 3


def test_a_correction_without_description_says_so() -> None:
    found = invoice(Kind.ADJUSTMENT, -1)
    found.rows = [row._replace(description="") for row in found.rows]

    ((command, _),) = retail.adjustments(found, "main")

    assert command.lines[0].reason == retail.NO_REASON


def test_a_refusal_moves_nothing_and_says_what_was_asked() -> None:
    ((command, _),) = retail.adjustments(invoice(Kind.ADJUSTMENT, -7), "main")

    (line,) = retail.refusal(command).lines

    assert line.delta == 0
    assert line.reason == "refused, not enough stock: -7 damages"


def test_exactly_what_is_lacking_is_received() -> None:
    balances = {
        "stock:A@main": Balance(on_hand=10, reserved=3, damaged=2),
        "stock:B@main": Balance(on_hand=10),
        "stock:C@main": Balance(on_hand=2, reserved=2, backordered=4),
    }
    units = {"stock:A@main": 8, "stock:B@main": 10, "stock:C@main": 1, "stock:D@main": 6}

    assert retail.lacking(units, balances) == {
        "stock:A@main": 3,
        "stock:C@main": 5,
        "stock:D@main": 6,
    }


def test_repeated_skus_are_wanted_as_one_sum() -> None:
    bought = invoice(Kind.SALE, 3)
    bought.rows.append(bought.rows[0]._replace(quantity=4))

    assert retail.wanted(bought.rows, "main") == {"stock:S2@main": 7}


def test_receipts_fit_a_commit_and_a_movement() -> None:
    lack = {f"stock:S{n}@main": 1 for n in range(90)} | {"stock:big@main": MAX_QUANTITY + 5}

    first, second = retail.receipts(invoice(Kind.SALE, 1), lack)

    assert len(first.lines) == 90
    assert [line.quantity for line in second.lines] == [MAX_QUANTITY, 5]
    expected = "received on demand for invoice 700001 of 2026-03-02"
    assert {line.reference for line in (*first.lines, *second.lines)} == {expected}


def test_the_same_need_at_another_version_is_another_receipt() -> None:
    (receipt,) = retail.receipts(invoice(Kind.SALE, 1), {"stock:A@main": 5})

    assert retail.receipt_key({}, receipt) == retail.receipt_key({}, receipt)
    assert retail.receipt_key({}, receipt) != retail.receipt_key({"stock:A@main": 2}, receipt)


def test_text_is_made_to_fit() -> None:
    assert retail.clean(" a\x00b\tc ") == "a b c"
    assert len(retail.clean("x" * 1_000)) < MAX_TEXT_LENGTH
