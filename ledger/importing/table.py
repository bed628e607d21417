"""A CSV file as rows of named fields, checked before anything is imported from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from ledger.importing.problems import InputError


class Fields(NamedTuple):
    """One row: the line of the file it starts on, and its fields without surrounding spaces.

    `ragged` says what is wrong when the row has more or fewer fields than the header.
    """

    line: int
    values: dict[str, str]
    ragged: str = ""


def read_table(
    path: Path, required: Collection[str], optional: Collection[str] = ()
) -> Iterator[Fields]:
    """The rows of a CSV file in UTF-8 whose first line names its columns, in any order.

    Columns that are neither required nor optional are ignored; empty lines are no rows.

    Raises
    ------
    InputError
        The file can't be read, is not UTF-8, or lacks a column. Raised before the first row,
        except for a broken quotation, which is found where it stands.
    """
    records = _records(path, required)
    _, header = next(records)
    known = {*required, *optional}
    columns = [(name, index) for index, name in enumerate(header) if name in known]
    for line, record in records:
        ragged = ""
        if len(record) != len(header):
            ragged = f"the row has {len(record)} fields and the header {len(header)}"
            record += [""] * len(header)
        yield Fields(line, {name: record[index].strip() for name, index in columns}, ragged)


def _records(path: Path, required: Collection[str]) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not empty, the header first, with the line it starts on."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, required)
        yield 1, header
        started = reader.line_num + 1
        for record in reader:
            line, started = started, reader.line_num + 1
            if record:
                yield line, record
    except csv.Error as error:
        msg = f"{path}, line {reader.line_num}: {error}. Mend the line and import again."
        raise InputError(msg) from error


def count_rows(path: Path, required: Collection[str]) -> int:
    """How many rows the file has; reads it once to its end, so that it is known to be sound."""
    return sum(1 for _ in _records(path, required)) - 1


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        msg = (
            f"{path} is not UTF-8 (byte {error.start}). Convert it first, for example: "
            f"iconv -f windows-1252 -t utf-8 {path.name} > utf8-{path.name}"
        )
        raise InputError(msg) from error
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}. Name a readable CSV file."
        raise InputError(msg) from error


def _check_header(path: Path, header: list[str], required: Collection[str]) -> None:
    missing = [name for name in required if name not in header]
    if missing:
        msg = (
            f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: "
            f"its first line must name {', '.join(required)}."
        )
        raise InputError(msg)
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        msg = f"{path} names the column {twice[0]} twice. Keep one."
        raise InputError(msg)
