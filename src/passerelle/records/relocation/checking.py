"""What would go wrong in a move: all of it is found before anything is moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import NewId
from passerelle.records.models import ERASED, Record
from passerelle.records.relations import Pointing, Relations
from passerelle.records.relocation import repository
from passerelle.records.relocation.translating import Translation
from passerelle.records.repository import RecordRepository, unique_keys
from passerelle.tables.models import Table
from passerelle.tables.service import Tables

BATCH: Final = 500
NOWHERE: Final = UUID(int=0)
_SHOWN: Final = 3
"""Records that a fault names; the rest are counted."""

Progress = Callable[[int], None]
"""Told how many more records were looked at."""


@dataclass
class Faults:
    """Faults of records, gathered by what they say."""

    _found: dict[str, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    _counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, message: str, record_id: UUID) -> None:
        """A record has this fault."""
        self._counts[message] += 1
        if len(self._found[message]) < _SHOWN:
            self._found[message].append(record_id)

    def lines(self) -> list[str]:
        """A line for each fault, with how many records have it and the first of them."""
        return [
            f"{message}: {self._counts[message]:,} "
            f"{'record' if self._counts[message] == 1 else 'records'}, such as {', '.join(map(str, ids))}"
            for message, ids in self._found.items()
        ]


async def every_record(database: Database, table: Table) -> AsyncIterator[list[Record]]:
    """All records of a table, deleted ones too, a batch at a time."""
    last = NOWHERE
    while True:
        async with database.workspace(table.workspace_id) as connection:
            batch = await repository.next_records(connection, table.workspace_id, table.id, last, BATCH, lock=False)
        if not batch:
            return
        yield batch
        last = batch[-1].id


async def used_fields(database: Database, table: Table) -> frozenset[str]:
    """The fields, by name, that at least one record of the table has a value in."""
    async with database.workspace(table.workspace_id) as connection:
        rows = await connection.fetch(
            "SELECT DISTINCT jsonb_object_keys(values) AS key FROM record WHERE workspace_id = $1 AND table_id = $2",
            table.workspace_id,
            table.id,
        )
    keys = {row["key"] for row in rows}
    return frozenset(one.name for one in table.fields if one.key in keys)


class Checking:
    """Looks at every record that is to move."""

    def __init__(self, database: Database, tables: Tables, translation: Translation, new_id: NewId) -> None:
        self._database = database
        self._records = records = RecordRepository(new_id)
        self._relations = Relations(records, tables)
        self._translation = translation

    async def faults(self, progress: Progress) -> list[str]:
        """Everything that is wrong with the records in the new table."""
        faults = Faults()
        seen: set[bytes] = set()
        async for batch in every_record(self._database, self._translation.source):
            async with self._database.workspace(self._translation.source.workspace_id) as connection:
                await self._check(connection, batch, seen, faults)
            progress(len(batch))
        return faults.lines()

    async def _check(self, connection: Connection, batch: Sequence[Record], seen: set[bytes], faults: Faults) -> None:
        target = self._translation.target
        await self._ids(connection, batch, faults)
        arriving: list[tuple[Record, Record]] = []
        for record in batch:
            if record.deleted_at is not None or record.merged_into not in (None, ERASED):
                continue
            values, problems = self._translation.arriving(record.values, record.id)
            for problem in problems:
                faults.add(f"`{(problem.pointer or '/')[1:]}` of {target.name}: {problem.message}", record.id)
            if not problems:
                arriving.append((record, Record(record.id, 1, values, record.created_at, record.updated_at)))
        pointing = [Pointing(new.id, new.values) for _, new in arriving]
        related = await self._relations.problems(connection, target, pointing)
        for (record, _), wrong in zip(arriving, related, strict=True):
            for problem in wrong:
                faults.add(problem.message, record.id)
        await self._unique(connection, [new for _, new in arriving], seen, faults)

    async def _ids(self, connection: Connection, batch: Sequence[Record], faults: Faults) -> None:
        target = self._translation.target
        rows = await connection.fetch(
            "SELECT id FROM record WHERE workspace_id = $1 AND table_id = $2 AND id = ANY($3)",
            target.workspace_id,
            target.id,
            [record.id for record in batch],
        )
        for row in rows:
            faults.add(f"the table {target.name} has a record of the same id already", row["id"])

    async def _unique(
        self, connection: Connection, arriving: Sequence[Record], seen: set[bytes], faults: Faults
    ) -> None:
        target = self._translation.target
        if not target.unique:
            return
        keys = {record.id: unique_keys(target, record.values) for record in arriving}
        names = {one.id: one.name for one in target.unique}
        wanted = [key for own in keys.values() for key in own]
        holders = await self._records.holders(connection, target.workspace_id, wanted)
        for record_id, own in keys.items():
            for key in own:
                # Sixteen bytes for each value, whatever its length: a million take some hundred megabytes.
                digest = blake2b(key[0].bytes + key[1], digest_size=16).digest()
                if key in holders:
                    faults.add(
                        f"`{names[key[0]]}` of {target.name} is unique, and a record there has the value", record_id
                    )
                elif digest in seen:
                    faults.add(
                        f"`{names[key[0]]}` of {target.name} is unique, and another record has the value", record_id
                    )
                seen.add(digest)
