"""Reading a list's file: CSV in the columns of OpenSanctions' `targets.simple`.

A file is taken as a whole or not at all; everything that is wrong with it is found at once.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from passerelle.lists.names import words

REQUIRED: Final = ("id", "schema", "name", "aliases", "birth_date", "countries", "identifiers", "sanctions", "dataset")
"""What searching needs, and explaining a match. Others of the format may be missing, further ones may be there."""

_BIRTH_DATE: Final = re.compile("[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """What is wrong, and in which line of the file; 1 is the header."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class BrokenFile(Exception):  # noqa: N818 - a verdict on what was given
    """The file cannot be loaded. Lists everything that is wrong with it."""

    def __init__(self, problems: list[BrokenLine]) -> None:
        super().__init__("; ".join(map(str, problems[:5])))
        self.problems = problems


Entry = Mapping[str, str]
"""A line's columns that are not empty."""


def read_entries(content: bytes) -> list[Entry]:
    """Every entry of a file. Raises `BrokenFile`."""
    lines = _lines(_text(content))
    _, header = next(lines, (1, []))
    if problems := list(_header_problems(header)):
        raise BrokenFile(problems)
    entries: list[Entry] = []
    ids: dict[str, int] = {}
    for number, row in lines:
        if len(row) != len(header):
            problems.append(BrokenLine(number, f"has {len(row)} columns, and the header has {len(header)}"))
            continue
        entry = {column: value for column, value in zip(header, row, strict=True) if value}
        problems += [BrokenLine(number, message) for message in _entry_problems(entry, ids)]
        ids.setdefault(entry.get("id", ""), number)
        entries.append(entry)
    if not entries and not problems:
        problems.append(BrokenLine(2, "there is no entry"))
    if problems:
        raise BrokenFile(problems)
    return entries


def names_of(entry: Entry) -> list[str]:
    """The name and the aliases."""
    return [entry["name"], *values(entry.get("aliases", ""))]


def values(column: str) -> list[str]:
    """The values of a column that may have several: between semicolons, in quotes where they have one themselves."""
    if '"' not in column:
        parts = column.split(";")
    else:
        parts = [part for row in csv.reader([column], delimiter=";") for part in row]
    return [part.strip() for part in parts if part.strip()]


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BrokenFile([BrokenLine(line, "is not text in UTF-8: save the file in UTF-8")]) from None
    if (place := text.find("\0")) >= 0:
        raise BrokenFile([BrokenLine(text.count("\n", 0, place) + 1, "has the character NUL: save the file as text")])
    return text


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of its first line. A broken quote makes all that follows unreadable."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise BrokenFile([BrokenLine(number, f"is not CSV: {error}; nothing after it was read")]) from None
        if row is None:
            return
        if row:
            yield number, row
        number = reader.line_num + 1


def _header_problems(header: list[str]) -> Iterator[BrokenLine]:
    if missing := [column for column in REQUIRED if column not in header]:
        yield BrokenLine(
            1, f"the header has no {', '.join(missing)}: the file needs the columns of `targets.simple.csv`"
        )
    for column in sorted({column for column in header if header.count(column) > 1}):
        yield BrokenLine(1, f"the header has `{column}` twice")


def _entry_problems(entry: Entry, ids: Mapping[str, int]) -> Iterator[str]:
    if "id" not in entry:
        yield "has no `id`"
    elif entry["id"] in ids:
        yield f"has the `id` of line {ids[entry['id']]}"
    if not words(entry.get("name", "")):
        yield "has no `name` with letters or digits"
    if any(not _BIRTH_DATE.fullmatch(value) for value in values(entry.get("birth_date", ""))):
        yield "has a `birth_date` that is not written as 1952, 1952-10 or 1952-10-07"
