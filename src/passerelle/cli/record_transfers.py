"""`passerelle records import` and `export`: rows from a file to a running Passerelle, and back."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import quote

from passerelle.cli.api_client import messages_of, require_success
from passerelle.kit.errors import CommandError
from passerelle.records.rows import Format
from passerelle.records.slices import Slice, slices

if TYPE_CHECKING:
    import httpx

_MEDIA_TYPES: Final[dict[Format, str]] = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
_SUFFIXES: Final[dict[str, Format]] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_Exceptions = tuple[type[BaseException], ...]
_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One import."""

    file: Path
    table: str
    form: Format
    mode: str
    by: str | None
    dry_run: bool
    from_line: int
    safe: bool

    @property
    def params(self) -> dict[str, str]:
        """As the API takes it."""
        safe = {"safe": "true"} if self.safe and self.form == "csv" else {}
        return {"mode": self.mode, "dryRun": str(self.dry_run).lower(), **safe} | ({"by": self.by} if self.by else {})


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """Why one row is not in."""

    line: int
    field: str | None
    code: str
    message: str


@dataclass
class ImportOutcome:
    """What an import came to, also where it broke off."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    last_line: int = 0
    """The last line of the file that was answered for."""
    ignored: set[str] = field(default_factory=set)
    broken: str | None = None
    """What ended the import early, and how to go on."""

    def add(self, report: dict[str, Any], part: Slice) -> None:
        """Take in a report. `part`: the slice that it is about, or begins with."""
        self.rows += report["rows"]
        self.created += report["created"]
        self.updated += report["updated"]
        self.ignored.update(report["ignoredColumns"])
        self.refused += [
            RefusedRow(part.line_in_file(one["line"]), one["field"], one["code"], one["message"])
            for one in report["errors"]
        ]
        self.last_line = part.last
        if not report["complete"]:
            self.broken = "the server could not read on: see the last row that was refused"


def form_of(file: Path, given: str | None) -> Format:
    """The form of a file's rows, by its name unless it is given. Raises `CommandError`."""
    if given in ("csv", "jsonl"):
        return "csv" if given == "csv" else "jsonl"
    try:
        return _SUFFIXES[file.suffix.lower()]
    except KeyError:
        raise CommandError(f"{file}: say with --format whether it is csv or jsonl; its name does not") from None


def rows_in(wanted: ImportRequest) -> int:
    """How many rows there are to import. Raises `CommandError` for a file that cannot be read to its end as rows."""
    return sum(part.rows for part in slices(wanted.file, wanted.form, wanted.from_line))


def send(client: httpx.Client, wanted: ImportRequest, seen: Callable[[int], None]) -> ImportOutcome:
    """Import a file whose rows can be read; `seen` hears of the rows that are done.

    A dry run is one request, which finds duplicates in the whole file; an import is one for each slice.
    Raises `CommandError` where nothing was imported.
    """
    nothing_in, unknown = _faults()
    outcome = ImportOutcome()
    parts = slices(wanted.file, wanted.form, wanted.from_line)
    if wanted.dry_run and (first := next(parts, None)) is not None:
        outcome.add(_taken(_post(client, wanted, _joined(first, parts, seen))), first)
    for part in parts:
        try:
            report = _taken(_post(client, wanted, part.content))
        except nothing_in as error:
            if not outcome.last_line:
                raise
            outcome.broken = f"{error}\nnothing from line {part.first} on is in; go on with --from-line {part.first}"
            return outcome
        except unknown as error:
            outcome.broken = f"{_reason(error)}\n{_uncertain(wanted, part)}"
            return outcome
        outcome.add(report, part)
        seen(part.rows)
        if outcome.broken:
            break
    return outcome


def write_report(outcome: ImportOutcome, file: Path) -> None:
    """Every row that was refused, as CSV. Raises `CommandError`."""
    try:
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["line", "field", "code", "message"])
            writer.writerows([one.line, one.field or "", one.code, one.message] for one in outcome.refused)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None


def export(
    client: httpx.Client,
    table: str,
    form: Format,
    filter_: str | None,
    out: IO[bytes],
    seen: Callable[[int], None],
    *,
    safe: bool,
) -> int:
    """Write every record of a table to `out`, oldest first; how many. `seen` hears of the bytes.

    safe   of CSV: texts that a spreadsheet would take for formulas have a `'` before them

    Raises `CommandError`.
    """
    import httpx

    params = {"format": form, **({"safe": "true"} if safe and form == "csv" else {})}
    params |= {"filter": filter_} if filter_ else {}
    counter = _Counter(form)
    with client.stream("GET", f"/tables/{quote(table, safe='')}/export", params=params, timeout=_SECONDS) as answer:
        if not answer.is_success:
            answer.read()
            require_success(answer)
        try:
            for chunk in answer.iter_bytes():
                out.write(chunk)
                counter.feed(chunk)
                seen(len(chunk))
        except httpx.HTTPError as error:
            raise CommandError(f"the export broke off after row {counter.rows:,} ({error}): start it again") from None
    return counter.rows


class _Counter:
    """Counts rows: of CSV, lines below the header that do not end inside of quotes."""

    def __init__(self, form: Format) -> None:
        self._lines = 0
        self._csv = form == "csv"
        self._quoted = False

    @property
    def rows(self) -> int:
        return max(self._lines - self._csv, 0)

    def feed(self, chunk: bytes) -> None:
        first, *others = chunk.split(b'"') if self._csv else (chunk,)
        self._lines += 0 if self._quoted else first.count(b"\n")
        for part in others:
            self._quoted = not self._quoted
            self._lines += 0 if self._quoted else part.count(b"\n")


def _post(client: httpx.Client, wanted: ImportRequest, content: bytes | Iterator[bytes]) -> httpx.Response:
    return client.post(
        f"/tables/{quote(wanted.table, safe='')}/import",
        params=wanted.params,
        content=content,
        headers={"Content-Type": _MEDIA_TYPES[wanted.form]},
        timeout=_SECONDS,
    )


def _taken(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise CommandError("\n".join(messages_of(answer)))
    report: dict[str, Any] = answer.json()
    return report


def _joined(first: Slice, others: Iterator[Slice], seen: Callable[[int], None]) -> Iterator[bytes]:
    """All slices as one content."""
    yield first.content
    seen(first.rows)
    for part in others:
        yield part.content.partition(b"\n")[2] if part.header_lines else part.content
        seen(part.rows)


def _faults() -> tuple[_Exceptions, _Exceptions]:
    """What ends a slice that is not in for certain, and what ends one of which that is not known."""
    import httpx

    return (CommandError, httpx.ConnectError, httpx.ConnectTimeout), (httpx.HTTPError, KeyboardInterrupt)


def _reason(error: BaseException) -> str:
    return "interrupted" if isinstance(error, KeyboardInterrupt) else f"the connection broke: {error}"


def _uncertain(wanted: ImportRequest, part: Slice) -> str:
    told = f"whether lines {part.first} to {part.last} are in is not known, nothing below them is; "
    go_on = f"go on with --from-line {part.first}"
    if wanted.mode == "upsert":
        return f"{told}{go_on}: rows that are in already are only written again"
    return (
        f"{told}{go_on} if they are not, and with --from-line {part.last + 1} if they are "
        f"(the newest records of {wanted.table} show it; a unique field refuses rows that are in already)"
    )
