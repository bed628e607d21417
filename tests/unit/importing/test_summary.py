import pytest

from ledger.importing import Fate, Summary


def test_an_account_that_adds_up() -> None:
    summary = Summary()
    for units in (5, -2, 1):
        summary.read(units)
    summary.add(Fate.SHIPPED, 5, before=True)
    summary.add(Fate.FEE, 1, note="POST")
    summary.found(Fate.REFUSED, -2, "file, line 3", "no stock")

    summary.check()
    assert not summary.ok
    assert summary.findings == ["file, line 3: no stock"]
    assert summary.by_fate() == {Fate.SHIPPED: 1, Fate.FEE: 1, Fate.REFUSED: 1}


@pytest.mark.parametrize("units", [[], [4], [5, 0]])
def test_an_account_that_does_not_add_up_is_a_defect(units: list[int]) -> None:
    summary = Summary()
    summary.read(5)
    for part in units:
        summary.add(Fate.SHIPPED, part)

    with pytest.raises(AssertionError, match="doesn't add up"):
        summary.check()
