"""A file of rows in slices that are sent one by one, so that a broken import knows how far it came."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from passerelle.kit.errors import CommandError
from passerelle.records.rows import LONGEST_LINE, Format, delimiter_of, quoted_after, separator_of

ROWS: Final = 1_000
"""Rows of a slice: what is uncertain if its answer is lost."""
BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows as one import. `first` and `last`: the lines of the file that they stand on."""

    content: bytes
    first: int
    last: int
    rows: int
    header_lines: int
    """Lines of the content before its first row."""

    def line_in_file(self, line: int) -> int:
        """The line of the file that is this line of the content."""
        return self.first + line - 1 - self.header_lines


def slices(path: Path, form: Format, from_line: int = 1) -> Iterator[Slice]:
    """The rows that begin on `from_line` or below it. Raises `CommandError` for a file that cannot be read as rows."""
    with _opened(path) as file:
        rows = _Rows(path, file, form)
        header = rows.header() if form == "csv" else b""
        parts: list[bytes] = []
        first = last = size = count = 0
        for begin, end, content in rows:
            if begin < from_line:
                continue
            first = first or begin
            parts.append(content)
            last, size, count = end, size + len(content), count + bool(content.strip())
            if count >= ROWS or size >= BYTES:
                yield Slice(header + b"".join(parts), first, last, count, header.count(b"\n"))
                parts, first, size, count = [], 0, 0, 0
        if count:
            yield Slice(header + b"".join(parts), first, last, count, header.count(b"\n"))


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


class _Rows:
    """Each row with the lines that it begins and ends on: of CSV, a quoted cell may go on over lines."""

    def __init__(self, path: Path, file: IO[bytes], form: Format) -> None:
        self._path = path
        self._file = file
        self._delimiter: str | None = None
        """Of CSV, once the header has said it."""
        self._line = 0

    def header(self) -> bytes:
        """The first line that says something, with an end; and the one above it that says the delimiter."""
        above = b""
        while line := self._next():
            text, whole = line.decode(), line.removesuffix(b"\n") + b"\n"
            if self._delimiter is None and (named := separator_of(text)):
                self._delimiter, above = named, whole
            elif line.strip():
                self._delimiter = self._delimiter or delimiter_of(text)
                return above + whole
        raise CommandError(f"{self._path}: is empty: its first line must name the fields")

    def __iter__(self) -> Iterator[tuple[int, int, bytes]]:
        while line := self._next():
            begin, parts, size = self._line, [line], len(line)
            quoted = self._is_quoted(line, False)
            while quoted:
                line = self._next()
                if not line:
                    raise self._fault(begin, "a quote that opens on this line is never closed")
                parts.append(line)
                size += len(line)
                quoted = self._is_quoted(line, quoted)
                if size > LONGEST_LINE:
                    raise self._fault(begin, f"a quote that opens here is not closed within {LONGEST_LINE:,} bytes")
            yield begin, self._line, b"".join(parts)

    def _is_quoted(self, line: bytes, before: bool) -> bool:
        if self._delimiter is None or b'"' not in line:
            return before
        return quoted_after(line.decode(), self._delimiter, before)

    def _next(self) -> bytes:
        line = self._file.readline(LONGEST_LINE + 1)
        self._line += bool(line)
        if len(line) > LONGEST_LINE:
            raise self._fault(self._line, f"the line is longer than {LONGEST_LINE:,} bytes: is a quote left open?")
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            raise self._fault(self._line, f"byte 0x{byte:02x} is not UTF-8: save the file as UTF-8") from None
        return line.removeprefix(codecs.BOM_UTF8) if self._line == 1 else line

    def _fault(self, line: int, message: str) -> CommandError:
        return CommandError(f"{self._path}:{line}: {message}")
