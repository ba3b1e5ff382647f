"""Rows of CSV and JSON lines, read from a stream in constant memory; cells as the values of fields, and back."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from passerelle.errors import PasserelleError
from passerelle.kit.json import Json, dumps, loads
from passerelle.records.errors import IMPORT_UNREADABLE
from passerelle.tables.models import Field, Table
from passerelle.tables.types import type_of
from passerelle.tables.values import GIVEN_BY_SERVER, unknown_field

Format = Literal["csv", "jsonl"]

LONGEST_LINE: Final = 2_000_000
"""Bytes of one line; beyond, a quote was never closed or the file is no text of lines."""
_DELIMITERS: Final = ",;\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line that it begins on, and its values by field name, or why it cannot be read."""

    line: int
    values: Mapping[str, Json]
    problem: str | None = None
    field: str | None = None


async def lines_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, str]]:
    """Each line with its number, its end included. Raises IMPORT_UNREADABLE for what is not UTF-8, or too long."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest, number = "", 1
    async for chunk in chunks:
        text = rest + _decoded(decoder, chunk, number)
        *whole, rest = text.split("\n")
        for line in whole:
            yield number, (line.removeprefix("\ufeff") if number == 1 else line) + "\n"
            number += 1
        if len(rest) > LONGEST_LINE:
            raise unreadable(number, f"the line is longer than {LONGEST_LINE:,} characters: is a quote left open?")
    rest += _decoded(decoder, b"", number, final=True)
    if rest:
        yield number, rest.removeprefix("\ufeff") if number == 1 else rest


class CsvRows:
    """Reads CSV: the first line names the fields; the delimiter is the one that it has most of."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._reader: Any = None
        self._lines = _Lines()
        self.columns: list[Field | None] = []
        self.ignored: list[str] = []

    def feed(self, number: int, line: str) -> Iterator[Row]:
        """The rows that end with this line: none inside of a quoted cell. Raises IMPORT_UNREADABLE."""
        if self._reader is None:
            if line.strip():
                self._header(number, line)
            return
        self._lines.add(number, line)
        yield from self._rows()

    def finish(self) -> Iterator[Row]:
        """What is left at the end. Raises IMPORT_UNREADABLE for a quote that is still open."""
        if self._reader is None:
            raise unreadable(1, "the file is empty: its first line must name the fields")
        if self._lines.quoted:
            raise unreadable(self._lines.first, "a quote that opens on this line is never closed")
        yield from ()

    def _header(self, number: int, line: str) -> None:
        delimiter = max(_DELIMITERS, key=line.count)
        self._reader = delimiter
        try:
            names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter, strict=True))]
        except csv.Error as error:
            raise unreadable(number, f"the header is not CSV: {error}") from None
        problems = [
            IMPORT_UNREADABLE.problem(f"line {number} must name the fields: {unknown_field(self._table, name)}")
            for name in names
            if name not in self._table.by_name and name not in GIVEN_BY_SERVER
        ]
        problems += [
            IMPORT_UNREADABLE.problem(f"line {number}: the column `{name}` is there twice")
            for name in sorted({name for name in names if names.count(name) > 1})
        ]
        if problems:
            raise PasserelleError(IMPORT_UNREADABLE.status, problems)
        self.columns = [self._table.by_name.get(name) for name in names]
        self.ignored = [name for name in names if name in GIVEN_BY_SERVER]

    def _rows(self) -> Iterator[Row]:
        lines = self._lines
        if lines.quoted:
            if lines.length > LONGEST_LINE:
                raise unreadable(
                    lines.first, f"a quote that opens here is not closed within {LONGEST_LINE:,} characters"
                )
            return
        first, text = lines.first, lines.text
        self._lines = _Lines()
        try:
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=self._reader, strict=True):
                if cells:
                    yield self._row(first, cells)
        except csv.Error as error:
            yield Row(first, {}, f"the row is not CSV: {error}")

    def _row(self, line: int, cells: Sequence[str]) -> Row:
        if len(cells) != len(self.columns):
            return Row(line, {}, f"the row has {len(cells)} cells, the header {len(self.columns)}")
        values: dict[str, Json] = {}
        for field, cell in zip(self.columns, cells, strict=True):
            if field is not None:
                try:
                    values[field.name] = value_of_cell(field, cell)
                except ValueError as error:
                    return Row(line, {}, f"`{field.name}` {error}", field.name)
        return Row(line, values)


class JsonRows:
    """Reads JSON lines: one object a line."""

    def __init__(self) -> None:
        self.ignored: list[str] = []

    def feed(self, number: int, line: str) -> Iterator[Row]:
        """The row of this line; none where it is blank."""
        if not line.strip():
            return
        try:
            value = loads(line)
        except ValueError as error:
            yield Row(number, {}, f"the line is not JSON: {error}")
            return
        if not isinstance(value, dict):
            yield Row(number, {}, "the line must be a JSON object")
            return
        self.ignored += [name for name in value if name in GIVEN_BY_SERVER and name not in self.ignored]
        yield Row(number, {name: item for name, item in value.items() if name not in GIVEN_BY_SERVER})

    def finish(self) -> Iterator[Row]:
        """Nothing is ever left."""
        yield from ()


class _Lines:
    """Lines that belong to one row."""

    def __init__(self) -> None:
        self.first = 0
        self.length = 0
        self.quoted = False
        """Whether a quoted cell goes on in the next line: the quotes so far are odd in number."""
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, number: int, line: str) -> None:
        self.first = self.first or number
        self.length += len(line)
        self.quoted ^= line.count('"') % 2 == 1
        self._parts.append(line)


def value_of_cell(field: Field, cell: str) -> Json:
    """A cell of CSV as a value, to be checked as every other; an empty cell is none. Raises `ValueError`."""
    if cell == "":
        return None
    kind = type_of(field).kind
    if kind == "text":
        return cell
    try:
        return loads(cell.strip())
    except ValueError:
        if field.type == "multiselect":
            return [part.strip() for part in cell.split(",")]
        number = "a whole number, such as 12" if field.type == "integer" else "a number, such as 12.5"
        expected = {"number": number, "flag": "true or false"}.get(kind, "JSON")
        raise ValueError(f"must be {expected}, is `{cell[:80]}`") from None


def cell_of_value(value: Json) -> str:
    """A value as a cell, which `value_of_cell` reads again."""
    if value is None:
        return ""
    return value if isinstance(value, str) else dumps(value)


def csv_line(cells: Sequence[str]) -> str:
    """One line of CSV (RFC 4180)."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def unreadable(line: int, message: str) -> PasserelleError:
    """IMPORT_UNREADABLE at a line."""
    return IMPORT_UNREADABLE.error(f"line {line}: {message}")


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, line: int, *, final: bool = False) -> str:
    try:
        return decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        at = line + error.object[: error.start].count(b"\n")
        raise unreadable(at, f"byte 0x{error.object[error.start]:02x} is not UTF-8: save the file as UTF-8") from None
