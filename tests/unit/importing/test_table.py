from pathlib import Path

import pytest

from ledger.importing import InputError
from ledger.importing.table import count_rows, read_table


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_rows_are_named_trimmed_and_counted_by_the_line_they_start_on(tmp_path: Path) -> None:
    path = write(tmp_path, 'b,a,extra\n 1 ,"two\nlines",x\n\n3,4,y\n')

    rows = list(read_table(path, ["a", "b"]))

    assert [(row.line, row.values) for row in rows] == [
        (2, {"b": "1", "a": "two\nlines"}),
        (5, {"b": "3", "a": "4"}),
    ]
    assert count_rows(path, ["a", "b"]) == 2


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffa,b\r\n1,2\r\n")

    assert [row.values for row in read_table(path, ["a"], ["b"])] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("line", ["1", "1,2,3"])
def test_a_row_of_the_wrong_length_says_so(tmp_path: Path, line: str) -> None:
    (row,) = read_table(write(tmp_path, f"a,b\n{line}\n"), ["a", "b"])

    assert f"the row has {line.count(',') + 1} fields and the header 2" in row.ragged


def test_an_optional_column_may_be_missing(tmp_path: Path) -> None:
    (row,) = read_table(write(tmp_path, "a\n1\n"), ["a"], ["b"])

    assert row.values == {"a": "1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lacks the columns a, b"),
        ("a,c\n1,2\n", "lacks the column b: its first line must name a, b"),
        ("a,b,a\n1,2,3\n", "names the column a twice"),
        ('a,b\n1,"2\n', "line 2"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        count_rows(write(tmp_path, text), ["a", "b"])


def test_another_encoding_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not UTF-8 \(byte 3\).*iconv"):
        count_rows(write(tmp_path, "a,b\u00a3\n", "latin-1"), ["a"])


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="can't be read"):
        count_rows(tmp_path / name, ["a"])
