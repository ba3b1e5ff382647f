"""Importing records from a stream, in batches that commit one by one, with a report of every row that is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, Literal
from uuid import UUID

import asyncpg

from passerelle.errors import PasserelleError, Problem
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import NewId
from passerelle.kit.json import dumps
from passerelle.records.errors import FIELD_NOT_UNIQUE, IMPORT_ROW, VALUE_TAKEN
from passerelle.records.models import Author, Record
from passerelle.records.repository import RecordRepository, unique_keys
from passerelle.records.rows import CsvRows, Format, JsonRows, Row, lines_of
from passerelle.records.service import Records
from passerelle.tables.models import Table
from passerelle.tables.service import Tables
from passerelle.tables.values import check_new, is_empty, read_value

Mode = Literal["create", "upsert"]

_Made = list[tuple[Row, Record]]
_Refused = list[tuple[Row, Sequence[Problem]]]

BATCH: Final = 500
IN_MEMORY: Final = 1_000_000
"""Bytes of a report that are kept in memory; a longer one goes to disk."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How to import."""

    format: Format
    mode: Mode
    by: str | None
    dry_run: bool


@dataclass
class Report:
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


class Importing:
    """Imports into tables of every workspace."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        records: Records,
        repository: RecordRepository,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._tables = tables
        self._records = records
        self._repository = repository
        self._clock = clock
        self._new_id = new_id

    async def run(
        self, workspace_id: UUID, table: str, wish: Wish, chunks: AsyncIterator[bytes], author: Author
    ) -> Report:
        """Take every row that is right; each batch commits by itself.

        What makes the rest unreadable ends the import: as IMPORT_UNREADABLE while nothing was taken, else as the
        report's last problem, with `complete` false. Raises TABLE_NOT_FOUND, FIELD_NOT_UNIQUE.
        """
        found = await self._tables.find_now(workspace_id, table)
        _require_key(found, wish)
        report = Report()
        rows: CsvRows | JsonRows = CsvRows(found) if wish.format == "csv" else JsonRows()
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

    def __init__(self, parts: Importing, table: Table, wish: Wish, author: Author, report: Report) -> None:
        self._parts = parts
        self._table = table
        self._wish = wish
        self._author = author
        self._report = report
        self._batch: list[Row] = []
        self._seen: set[tuple[UUID, bytes]] = set()

    async def take(self, row: Row) -> None:
        self._report.rows += 1
        if row.problem is not None:
            pointer = f"/{row.field}" if row.field is not None else None
            self._report.refuse(row.line, [IMPORT_ROW.problem(row.problem, pointer)])
            return
        self._batch.append(row)
        if len(self._batch) >= BATCH:
            await self.flush()

    async def flush(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        async with self._parts._database.workspace(self._table.workspace_id) as connection:
            if self._wish.mode == "create":
                await self._create(connection, batch)
            elif self._wish.dry_run:
                await self._tried(connection, batch)
            else:
                await self._upsert(connection, batch)

    async def _create(self, connection: Connection, batch: Sequence[Row]) -> None:
        """Check all, then write those that are right in one statement."""
        made, refused = await self._new(connection, batch)
        for row, problems in refused:
            self._report.refuse(row.line, problems)
        if self._wish.dry_run:
            self._seen.update(key for _, record in made for key in unique_keys(self._table, record.values))
            self._report.created += len(made)
        elif await self._insert(connection, made):
            self._report.created += len(made)
        else:
            await self._one_by_one(connection, [row for row, _ in made])

    async def _upsert(self, connection: Connection, batch: Sequence[Row]) -> None:
        """Write what is new for certain in one statement, and the rest one by one."""
        made, _ = await self._new(
            connection, [row for row in batch if not is_empty(row.values.get(self._wish.by or ""))]
        )
        new = self._independent(batch, made)
        lines = {row.line for row, _ in new} if await self._insert(connection, new) else set()
        self._report.created += len(lines)
        await self._one_by_one(connection, [row for row in batch if row.line not in lines])

    def _independent(self, batch: Sequence[Row], made: _Made) -> _Made:
        """Those of `made` that share no unique value with a row before them which is not: they may be written first."""
        candidates = {row.line: (row, record) for row, record in made}
        found: _Made = []
        claimed: set[tuple[str, str]] = set()
        for row in batch:
            claims = set(self._claims(row))
            if row.line in candidates and not claims & claimed:
                found.append(candidates[row.line])
            else:
                claimed |= claims
        return found

    def _claims(self, row: Row) -> Iterator[tuple[str, str]]:
        """The unique values that a row is about."""
        for known in self._table.unique:
            with suppress(ValueError):
                if not is_empty(value := row.values.get(known.name)):
                    yield known.name, str(read_value(known, value))

    async def _insert(self, connection: Connection, made: Sequence[tuple[Row, Record]]) -> bool:
        """False, and nothing written, where somebody took a value, or changed the table, at this very moment."""
        records = [record for _, record in made]
        try:
            if not records or await self._parts._repository.insert(connection, self._table, records, self._author):
                return True
        except asyncpg.UniqueViolationError:
            pass
        self._table = await self._parts._tables.find_now(self._table.workspace_id, str(self._table.id), connection)
        return False

    async def _tried(self, connection: Connection, batch: Sequence[Row]) -> None:
        """Upserts that are done and undone: what they come to depends on the records that are there."""
        undone = connection.transaction()
        await undone.start()
        try:
            await self._one_by_one(connection, batch)
        finally:
            await undone.rollback()

    async def _one_by_one(self, connection: Connection, batch: Sequence[Row]) -> None:
        for row in batch:
            try:
                created = await self._write(connection, row)
            except PasserelleError as error:
                self._report.refuse(row.line, error.problems)
            else:
                self._report.created += created
                self._report.updated += not created

    async def _write(self, connection: Connection, row: Row) -> bool:
        records, table = self._parts._records, self._table
        by = self._wish.by
        if self._wish.mode == "create" or by is None:
            await records.create(table.workspace_id, str(table.id), row.values, self._author, connection=connection)
            return True
        if is_empty(row.values.get(by)):
            raise IMPORT_ROW.error(f"`{by}` is empty: it must say which record the row is about", f"/{by}")
        _, written = await records.upsert(
            table.workspace_id, str(table.id), by, row.values[by], row.values, self._author, connection=connection
        )
        return written.created

    async def _new(self, connection: Connection, batch: Sequence[Row]) -> tuple[_Made, _Refused]:
        """The rows as new records, and those that cannot be: values that are wrong, relations to nothing, values
        that another record or a row before has and that are unique."""
        made: _Made = []
        refused: _Refused = []
        now = self._parts._clock()
        for row in batch:
            record_id = self._parts._new_id()
            checked = check_new(self._table, row.values, record_id)
            if checked.problems:
                refused.append((row, checked.problems))
            else:
                made.append((row, Record(record_id, 1, checked.values, now, now)))
        values = [record.values for _, record in made]
        missing = await self._parts._records.relations.problems(connection, self._table, values)
        refused += [(row, problems) for (row, _), problems in zip(made, missing, strict=True) if problems]
        related = [pair for pair, problems in zip(made, missing, strict=True) if not problems]
        free, taken = await self._free(connection, related)
        return free, [*refused, *taken]

    async def _free(self, connection: Connection, made: _Made) -> tuple[_Made, _Refused]:
        """Those whose unique values nobody has, and the others."""
        if not self._table.unique:
            return made, []
        keys = [unique_keys(self._table, record.values) for _, record in made]
        wanted = [key for own in keys for key in own]
        holders = await self._parts._repository.holders(connection, self._table.workspace_id, wanted)
        free: _Made = []
        refused: _Refused = []
        batch: set[tuple[UUID, bytes]] = set()
        for (row, record), own in zip(made, keys, strict=True):
            if taken := [key for key in own if key in holders or key in batch or key in self._seen]:
                refused.append((row, [self._taken(record, key, holders.get(key)) for key in taken]))
            else:
                batch.update(own)
                free.append((row, record))
        return free, refused

    def _taken(self, record: Record, key: tuple[UUID, bytes], holder: UUID | None) -> Problem:
        named = next(field for field in self._table.unique if field.id == key[0])
        who = f"the record {holder}" if holder is not None else "a row before"
        value = str(record.values[named.key])[:80]
        return VALUE_TAKEN.problem(f"{who} has `{value}` in `{named.name}` already", f"/{named.name}")


async def _take_all(
    one: _Import, rows: CsvRows | JsonRows, lines: AsyncIterator[tuple[int, str]], report: Report
) -> None:
    try:
        async for number, line in lines:
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


def report_json(report: Report, wish: Wish) -> AsyncIterator[bytes]:
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


def _require_key(table: Table, wish: Wish) -> None:
    if wish.mode == "create":
        return
    known = table.by_name.get(wish.by or "")
    if known is None or not known.unique:
        raise FIELD_NOT_UNIQUE.error(
            f"`by` must name a unique field of the table {table.name} that says which record a row is about"
        )
