"""Many changes of records in one call: each by itself, or all or none, or none at all to see what would come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import asyncpg

from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.json import Json
from passerelle.records.errors import RECORD_BUSY
from passerelle.records.models import Author, Record
from passerelle.records.repository import RecordRepository
from passerelle.records.service import Records
from passerelle.tables.models import Table
from passerelle.tables.service import Tables

MOST_CHANGES: Final = 500
"""Changes of one call."""

Deed = Literal["create", "update", "delete", "restore"]


@dataclass(frozen=True, slots=True)
class WantedChange:
    """One change. `version`: refused if the record is at another one; None for any."""

    deed: Deed
    record_id: UUID
    version: int | None
    values: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What a change came to: the record as it is then, None where it is deleted or was refused."""

    record: Record | None
    problems: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class ChangesResult:
    """What all changes came to, in their order. `written`: false where none was kept."""

    table: Table
    results: list[ChangeResult]
    written: bool


class RecordChanges:
    """Changes many records of one table."""

    def __init__(self, database: Database, tables: Tables, records: Records, repository: RecordRepository) -> None:
        self._database = database
        self._tables = tables
        self._records = records
        self._repository = repository

    async def run(
        self,
        workspace_id: UUID,
        table: str,
        wanted: Sequence[WantedChange],
        author: Author,
        *,
        dry_run: bool,
        all_or_nothing: bool,
    ) -> ChangesResult:
        """Do them in their order; what one is refused for is said of it, and the others go on.

        dry_run         nothing is kept
        all_or_nothing  nothing is kept where one is refused
        Raises TABLE_NOT_FOUND, and RECORD_BUSY where others change the same records the other way round.
        """
        found = await self._tables.find_now(workspace_id, table)
        if not (dry_run or all_or_nothing):
            async with self._database.workspace(workspace_id) as connection:
                return ChangesResult(found, await self._each(connection, found, wanted, author), written=True)
        results: list[ChangeResult] = []
        written = False
        try:
            async with self._database.transaction(workspace_id) as connection:
                # In one order, so that two who change the same records wait for one another instead of in a ring.
                await self._repository.lock(connection, found, sorted({one.record_id for one in wanted}))
                results = await self._each(connection, found, wanted, author)
                if dry_run or any(one.problems for one in results):
                    raise _NotKept
                written = True
        except _NotKept:
            pass
        except asyncpg.DeadlockDetectedError:
            raise RECORD_BUSY.error("others change the same records at this moment: send the request again") from None
        return ChangesResult(found, results, written)

    async def _each(
        self, connection: Connection, table: Table, wanted: Sequence[WantedChange], author: Author
    ) -> list[ChangeResult]:
        results: list[ChangeResult] = []
        for one in wanted:
            try:
                results.append(ChangeResult(await self._one(connection, table, one, author)))
            except PasserelleError as error:
                results.append(ChangeResult(None, error.problems))
        return results

    async def _one(self, connection: Connection, table: Table, one: WantedChange, author: Author) -> Record | None:
        workspace_id, name, records = table.workspace_id, str(table.id), self._records
        expected = None if one.version is None else {one.version}
        if one.deed == "create":
            _, made = await records.create(
                workspace_id, name, one.values, author, record_id=one.record_id, connection=connection
            )
            return made
        if one.deed == "delete":
            await records.delete(workspace_id, name, one.record_id, author, expected=expected, connection=connection)
            return None
        if one.deed == "restore":
            _, restored = await records.restore(workspace_id, name, one.record_id, author, connection=connection)
            return restored
        _, changed = await records.merge_values(
            workspace_id, name, one.record_id, one.values, author, expected=expected, connection=connection
        )
        return changed


class _NotKept(Exception):  # noqa: N818 - no error: it rolls the transaction back
    """What was done is taken back."""
