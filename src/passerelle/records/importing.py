"""Importing records from a stream, in batches that commit one by one, with a report of every row that is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, Literal
from uuid import UUID

import asyncpg

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.ids import NewId
from passerelle.kit.json import dumps
from passerelle.records.batches import Judging, OvertakenError, Pretended, Round, Taken, wish_of
from passerelle.records.errors import FIELD_NOT_UNIQUE, IMPORT_ROW, ValueTakenError
from passerelle.records.models import Author
from passerelle.records.repository import RecordRepository
from passerelle.records.rows import CsvRows, Format, JsonRows, Row, lines_of
from passerelle.records.service import Records
from passerelle.records.sight import sight_of
from passerelle.records.upserting import Upserts
from passerelle.tables.models import Table
from passerelle.tables.seen import seen
from passerelle.tables.service import Tables

Mode = Literal["create", "upsert"]

_TOLD_OF_MANY: Final = (
    OvertakenError,
    PasserelleError,
    ValueTakenError,
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
)
"""What is said to many rows, and nobody knows which one it is about: each is asked by itself then."""
_Refused = list[tuple[Row, Sequence[Problem]]]

BATCH: Final = 500
LINES_AT_ONCE: Final = 500
"""Lines that are read between two requests of others, some milliseconds."""
FEW: Final = 20
"""Rows of a round that is not worth its statements: what is left is written one by one."""
IN_MEMORY: Final = 1_000_000
"""Bytes of a report that are kept in memory; a longer one goes to disk."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import."""

    format: Format
    mode: Mode
    by: str | None
    """With `upsert`: the unique field that finds a row's record."""
    dry_run: bool
    safe: bool = False
    """Of CSV: whether its texts were made safe from formulas."""
    named: Mapping[str, str | None] = field(default_factory=dict)
    """What columns of other names stand for: a field, or None to leave the column out."""

    @property
    def finds_by(self) -> str | None:
        """None where each row makes a new record."""
        return self.by if self.mode == "upsert" else None


@dataclass
class ImportResult:
    """What an import came to. `problems`: JSON texts, one a line, for each row that was refused."""

    created: int = 0
    updated: int = 0
    failed: int = 0
    rows: int = 0
    complete: bool = True
    ignored: list[str] = field(default_factory=list)
    problems: IO[str] = field(
        default_factory=lambda: SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8")  # noqa: SIM115 - closed later
    )

    def refuse(self, line: int, problems: Sequence[Problem]) -> None:
        """Note a row that was not taken."""
        self.failed += 1
        for problem in problems:
            name = problem.pointer[1:] if problem.pointer else None
            facts = {"line": line, "field": name, "code": problem.code, "message": problem.message}
            self.problems.write(dumps(facts) + "\n")


class _PretendedError(Exception):
    """Undoes what was only tried."""


class RecordImporter:
    """Imports into tables of every workspace."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        records: Records,
        upserts: Upserts,
        repository: RecordRepository,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self.database = database
        self.tables = tables
        self.records = records
        self.upserts = upserts
        self.repository = repository
        self.clock = clock
        self.judging = Judging(repository, records.relations, clock, new_id)

    async def run(
        self, workspace_id: UUID, table: str, wish: ImportOptions, chunks: AsyncIterator[bytes], author: Author
    ) -> ImportResult:
        """Take every row that is right; each batch commits by itself.

        What makes the rest unreadable ends the import: as IMPORT_UNREADABLE while nothing was taken, else as the
        report's last problem, with `complete` false. Raises TABLE_NOT_FOUND, FIELD_NOT_UNIQUE.
        """
        found = await self.tables.find_now(workspace_id, table)
        if wish.finds_by is not None:
            sight_of(found).require_key(wish.finds_by)
        _require_key(found, wish)
        report = ImportResult()
        rows: CsvRows | JsonRows = (
            CsvRows(seen(found), safe=wish.safe, named=wish.named) if wish.format == "csv" else JsonRows(wish.named)
        )
        one = _Import(self, found, wish, author, report)
        try:
            await _take_all(one, rows, lines_of(chunks), report)
        except BaseException:
            report.problems.close()
            raise
        report.ignored = rows.ignored
        return report


class _Import:
    """One import while it runs."""

    def __init__(
        self, parts: RecordImporter, table: Table, wish: ImportOptions, author: Author, report: ImportResult
    ) -> None:
        self._parts = parts
        self._table = table
        self._wish = wish
        self._author = author
        self._report = report
        self._batch: list[Row] = []
        self._refused: _Refused = []
        self._own: set[UUID] = set()
        """Records that this batch has made; of a dry run, that all batches would have."""
        self._pretended = Pretended() if wish.dry_run else None

    async def take(self, row: Row) -> None:
        self._report.rows += 1
        self._batch.append(row)
        if len(self._batch) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        batch, self._batch = self._batch, []
        if self._pretended is None:
            self._own.clear()
        async with self._parts.database.workspace(self._table.workspace_id) as connection:
            rest = self._readable(batch)
            if not sight_of(self._table).is_whole:
                await self._each(connection, rest)
                rest = []
            while rest:
                before, rest = len(rest), await self._round(connection, rest)
                if rest and before - len(rest) < FEW:
                    await self._one_by_one(connection, rest)
                    break
        for row, problems in sorted(self._refused, key=lambda refused: refused[0].line):
            self._report.refuse(row.line, problems)
        self._refused.clear()

    def _readable(self, batch: Sequence[Row]) -> list[Row]:
        for row in batch:
            if row.problem is not None:
                pointer = f"/{row.field}" if row.field is not None else None
                self._refused.append((row, [IMPORT_ROW.problem(row.problem, pointer)]))
        return [row for row in batch if row.problem is None]

    async def _round(self, connection: Connection, rows: Sequence[Row]) -> list[Row]:
        """Take the rows that do not depend on one another. Returns the others."""
        try:
            found = await self._taken(connection, rows)
        except _TOLD_OF_MANY:
            self._table = await self._parts.tables.find_now(self._table.workspace_id, str(self._table.id), connection)
            await (self._one_by_one(connection, rows) if len(rows) > 1 else self._write(connection, rows[0]))
            return []
        made = [one.record.id for one in found.taken if one.old is None]
        self._report.created += len(made)
        self._report.updated += len(found.taken) - len(made)
        self._refused += found.refused
        if self._table.unique:
            self._own.update(made)
        return found.rest

    async def _taken(self, connection: Connection, rows: Sequence[Row]) -> Round:
        """Write what is right, or pretend to. Raises what `_TOLD_OF_MANY` has of the database."""
        if self._pretended is None:
            async with connection.transaction():
                found = await self._judged(connection, rows)
                await self._written(connection, found.taken)
        else:
            found = await self._judged(connection, rows)
            for one in found.taken:
                self._pretended.note(self._table, one)
        return found

    async def _judged(self, connection: Connection, rows: Sequence[Row]) -> Round:
        return await self._parts.judging.round(
            connection, self._table, self._wish.finds_by, rows, self._own, self._pretended
        )

    async def _written(self, connection: Connection, taken: Sequence[Taken]) -> None:
        """Raises `OvertakenError`, `ValueTakenError`, `asyncpg.UniqueViolationError`."""
        made = [one.record for one in taken if one.old is None]
        changed = [(one.old, one.record.values) for one in taken if one.old is not None and one.changes]
        repository, table, author = self._parts.repository, self._table, self._author
        if made and not await repository.insert(connection, table, made, author):
            raise OvertakenError
        now = self._parts.clock()
        if changed and not await repository.update_locked(connection, table, changed, author, now):
            raise OvertakenError

    async def _one_by_one(self, connection: Connection, rows: Sequence[Row]) -> None:
        for row in rows:
            await self._round(connection, [row])

    async def _each(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write rows for somebody who does not see or may not write all of the table; or see what would come of it."""
        for row in rows:
            if self._pretended is None:
                await self._write(connection, row)
                continue
            with suppress(_PretendedError):
                async with connection.transaction():
                    await self._write(connection, row)
                    raise _PretendedError

    async def _write(self, connection: Connection, row: Row) -> None:
        """Write a row as any single record, which waits for those who want the same."""
        records, table, by = self._parts.records, self._table, self._wish.finds_by
        workspace_id, name = table.workspace_id, str(table.id)
        try:
            if by is None:
                await records.create(workspace_id, name, row.values, self._author, connection=connection)
                created = True
            else:
                values = wish_of(table, by, row).values
                _, written = await self._parts.upserts.write(
                    connection, workspace_id, name, by, values[by], values, self._author
                )
                created = written.created
        except PasserelleError as error:
            self._refused.append((row, error.problems))
        else:
            self._report.created += created
            self._report.updated += not created


async def _take_all(
    one: _Import, rows: CsvRows | JsonRows, lines: AsyncIterator[tuple[int, str]], report: ImportResult
) -> None:
    try:
        async for number, line in lines:
            if number % LINES_AT_ONCE == 0:
                await asyncio.sleep(0)  # a line that is no row takes no time of its own, and a million do
            for row in rows.feed(number, line):
                await one.take(row)
        for row in rows.finish():
            await one.take(row)
    except PasserelleError as error:
        if report.rows == 0:
            raise
        await one.flush()
        report.complete = False
        report.refuse(report.rows, error.problems)
    await one.flush()


def report_json(report: ImportResult, wish: ImportOptions) -> AsyncIterator[bytes]:
    """The report as one JSON object, written piece by piece."""
    facts: dict[str, Any] = {
        "mode": wish.mode,
        "dryRun": wish.dry_run,
        "complete": report.complete,
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "failed": report.failed,
        "ignoredColumns": report.ignored,
    }
    return _pieces(dumps(facts), report.problems)


async def _pieces(head: str, problems: IO[str]) -> AsyncIterator[bytes]:
    problems.seek(0)
    yield f'{head[:-1]},"errors":['.encode()
    separator = ""
    with problems:
        while batch := problems.readlines(1 << 16):
            yield (separator + ",".join(line.rstrip("\n") for line in batch)).encode()
            separator = ","
    yield b"]}"


def _require_key(table: Table, wish: ImportOptions) -> None:
    if wish.mode == "create":
        return
    known = table.by_name.get(wish.by or "")
    if known is None or not known.unique:
        raise FIELD_NOT_UNIQUE.error(
            f"`by` must name a unique field of the table {table.name} that says which record a row is about"
        )
