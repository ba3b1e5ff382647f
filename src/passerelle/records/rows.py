"""Rows of CSV and JSON lines, read from a stream in constant memory; cells as the values of fields, and back."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from passerelle.kit.errors import PasserelleError
from passerelle.kit.json import Json, dumps, loads
from passerelle.kit.text import number_text, visible
from passerelle.records.errors import IMPORT_UNREADABLE
from passerelle.tables.models import Field, Table
from passerelle.tables.types import type_of
from passerelle.tables.values import GIVEN_BY_SERVER, unknown_field

Format = Literal["csv", "jsonl"]

MOST_COLUMNS: Final = 1_000
"""Columns of a CSV file."""

LONGEST_LINE: Final = 2_000_000
"""Bytes of one line; beyond, a quote was never closed or the file is no text of lines."""
_DELIMITERS: Final = ",;\t|"
_SEP: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""What some programs write above the header, for Excel."""
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n]")
"""How a text begins that a spreadsheet may take for a formula (OWASP), or that was made safe from that."""
_COMMA_NUMBER: Final = re.compile(r"-?[0-9]+,[0-9]+")


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
    """Reads CSV as Excel saves it: the first line names the fields; the delimiter is the one that it has most of.

    A row of nothing but delimiters is none, and a column without a name has to be empty.
    safe    texts have what makes them safe from formulas, which is taken off
    named   what columns of other names stand for: a field, or None to leave the column out
    """

    def __init__(self, table: Table, *, safe: bool = False, named: Mapping[str, str | None] | None = None) -> None:
        self._table = table
        self._safe = safe
        self._named = named or {}
        self._delimiter = ""
        self._begun = False
        self._lines = _Lines()
        self.columns: list[Field | None] = []
        self._nameless: frozenset[int] = frozenset()
        self.ignored: list[str] = []

    def feed(self, number: int, line: str) -> Iterator[Row]:
        """The rows that end with this line: none inside of a quoted cell. Raises IMPORT_UNREADABLE."""
        if not self._begun:
            if not self._delimiter and (named := separator_of(line)):
                self._delimiter = named
            elif line.strip():
                self._delimiter = self._delimiter or delimiter_of(line)
                self._header(number, line)
                self._begun = True
            return
        self._lines.add(number, line, self._delimiter)
        yield from self._rows()

    def finish(self) -> Iterator[Row]:
        """What is left at the end. Raises IMPORT_UNREADABLE for a quote that is still open."""
        if not self._begun:
            raise unreadable(1, "the file is empty: its first line must name the fields")
        if self._lines.quoted:
            raise unreadable(self._lines.first, "a quote that opens on this line is never closed")
        yield from ()

    def _header(self, number: int, line: str) -> None:
        try:
            names = [visible(name) for name in next(csv.reader([line], delimiter=self._delimiter, strict=True))]
        except csv.Error as error:
            raise unreadable(number, f"the header is not CSV: {error}") from None
        if len(names) > MOST_COLUMNS:
            raise unreadable(number, f"the header has {len(names):,} columns; {MOST_COLUMNS:,} are the most")
        self._nameless = frozenset(place for place, name in enumerate(names) if not name)
        left_out = [name for name in names if name in self._named and self._named[name] is None]
        names = ["" if name in left_out else self._named.get(name) or name for name in names]
        problems = [
            IMPORT_UNREADABLE.problem(f"line {number} must name the fields: {unknown_field(self._table, name)}")
            for name in names
            if name and name not in self._table.by_name and name not in GIVEN_BY_SERVER
        ]
        problems += [
            IMPORT_UNREADABLE.problem(f"line {number}: the column `{name}` is there twice")
            for name, times in sorted(Counter(names).items())
            if name and times > 1
        ]
        if problems:
            raise PasserelleError(IMPORT_UNREADABLE.status, problems)
        self.columns = [self._table.by_name.get(name) for name in names]
        self.ignored = [*left_out, *(name for name in names if name in GIVEN_BY_SERVER)]

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
        if has_bare_quote(text, self._delimiter):
            yield Row(first, {}, 'a `"` stands in a cell without quotes: put the cell into quotes, and write it twice')
            return
        try:
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter, strict=True):
                if any(map(str.strip, cells)):
                    yield self._row(first, cells)
        except csv.Error as error:
            yield Row(first, {}, f"the row is not CSV: {error}")

    def _row(self, line: int, cells: Sequence[str]) -> Row:
        if len(cells) > len(self.columns) and not any(map(str.strip, cells[len(self.columns) :])):
            cells = cells[: len(self.columns)]
        if len(cells) != len(self.columns):
            return Row(line, {}, f"the row has {len(cells)} cells, the header {len(self.columns)}")
        values: dict[str, Json] = {}
        for place, (field, cell) in enumerate(zip(self.columns, cells, strict=True)):
            if place in self._nameless and cell.strip():
                return Row(line, {}, f"the column {place + 1} has a value here, and no name in the header")
            if field is not None:
                try:
                    plain = as_it_was(cell) if self._safe else cell
                    values[field.name] = value_of_cell(field, plain, comma=self._delimiter != ",")
                except ValueError as error:
                    return Row(line, {}, f"`{field.name}` {error}", field.name)
        return Row(line, values)


class JsonRows:
    """Reads JSON lines: one object a line. `named`: as of `CsvRows`."""

    def __init__(self, named: Mapping[str, str | None] | None = None) -> None:
        self._named = named or {}
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
        left_out = {name for name in value if name in GIVEN_BY_SERVER or self._named.get(name, name) is None}
        self.ignored += [name for name in value if name in left_out and name not in self.ignored]
        yield Row(number, {self._named.get(name) or name: item for name, item in value.items() if name not in left_out})

    def finish(self) -> Iterator[Row]:
        """Nothing is ever left."""
        yield from ()


class _Lines:
    """Lines that belong to one row."""

    def __init__(self) -> None:
        self.first = 0
        self.length = 0
        self.quoted = False
        """Whether a quoted cell goes on in the next line."""
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, number: int, line: str, delimiter: str) -> None:
        self.first = self.first or number
        self.length += len(line)
        self.quoted = quoted_after(line, delimiter, self.quoted)
        self._parts.append(line)


def delimiter_of(header: str) -> str:
    """The delimiter of a file, by its header."""
    return max(_DELIMITERS, key=header.count)


def separator_of(line: str) -> str | None:
    """The delimiter, where a line says nothing but that."""
    found = _SEP.fullmatch(line)
    return found[1] if found else None


def quoted_after(line: str, delimiter: str, quoted: bool) -> bool:
    """Whether a quoted cell goes on behind `line`; `quoted`: one went on before it.

    A quote opens a cell only at its beginning: an inch sign inside of it is a character like others (RFC 4180, 2.7).
    """
    if '"' not in line:
        return quoted
    at = 0
    while at >= 0:
        if not quoted:
            if line[at : at + 1] == '"':
                quoted, at = True, at + 1
            else:
                at = line.find(delimiter, at) + 1 or -1
            continue
        at = line.find('"', at)
        if at < 0:
            return True
        if line[at + 1 : at + 2] == '"':
            at += 2
        else:
            quoted, at = False, line.find(delimiter, at + 1) + 1 or -1
    return quoted


def has_bare_quote(row: str, delimiter: str) -> bool:
    """Whether a cell that does not begin with a quote has one: it may be an inch sign, or a cell that was cut."""
    if '"' not in row:
        return False
    at = 0
    while at >= 0:
        if row[at : at + 1] == '"':
            at = _closing(row, at + 1) + 1
            at = row.find(delimiter, at) + 1 or -1
            continue
        end = row.find(delimiter, at)
        if '"' in (row[at:] if end < 0 else row[at:end]):
            return True
        at = end + 1 or -1
    return False


def _closing(row: str, at: int) -> int:
    """Where the quote is that closes a cell; the end where none does."""
    while (at := row.find('"', at)) >= 0:
        if row[at + 1 : at + 2] != '"':
            return at
        at += 2
    return len(row)


def value_of_cell(field: Field, cell: str, *, comma: bool = False) -> Json:
    """A cell of CSV as a value, to be checked as every other; an empty cell is none. Raises `ValueError`.

    comma   whether a number may have a decimal comma: the file does not separate its cells by commas
    """
    if cell == "":
        return None
    kind = type_of(field).kind
    if kind == "text":
        return cell
    text = number_text(cell)
    if kind == "number" and comma and _COMMA_NUMBER.fullmatch(text):
        text = text.replace(",", ".")
    if kind == "flag" and (said := _FLAGS.get(text.casefold())) is not None:
        return said
    try:
        value: Json = loads(text if kind in ("number", "flag") else cell.strip())
    except ValueError:
        if field.type == "multiselect":
            return [part.strip() for part in cell.split(",")]
        number = "a whole number, such as 12" if field.type == "integer" else "a number, such as 12.5"
        expected = {"number": number, "flag": "true or false"}.get(kind, "JSON")
        raise ValueError(f"must be {expected}, is `{cell[:80]}`") from None
    return value


def made_safe(cell: str) -> str:
    """A text that no spreadsheet takes for a formula; `as_it_was` gives back every text as it was."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def as_it_was(cell: str) -> str:
    """What `made_safe` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


_TRUE: Final = "true prawda wahr vrai verdadero verdadeiro vero истина pravda adevărat waar sant igaz dogru doğru"
_FALSE: Final = "false fałsz falsch faux falso ложь хибність nepravda fals onwaar falskt hamis yanlış"
_FLAGS: Final = {**dict.fromkeys(_TRUE.split(), True), **dict.fromkeys(_FALSE.split(), False)}
"""What Excel writes for a truth value, in the language that it speaks."""


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
