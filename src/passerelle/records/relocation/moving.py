"""Moves all records of a built-in table into another table, and back.

A record keeps its id, version and times; its values and its history are written by the keys of the new table. What
else concerns it (comments, files, executions, links) names its id only, and stays as it is. Each batch is one
transaction: killed at any point, a move goes on where it was by being started again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json
from passerelle.records.models import Record
from passerelle.records.relocation import repository
from passerelle.records.relocation.checking import NOWHERE, Faults, Progress
from passerelle.records.relocation.repository import History, RelocatedRecord
from passerelle.records.relocation.translating import Translation
from passerelle.tables.models import Table
from passerelle.tables.service import Tables

BATCH: Final = 200
"""Records that move together. Writers of one of them wait for its batch: some tens of milliseconds."""

REST: Final = 0.5
"""Of a batch's time, how long the move rests after it: the requests of others find the database free."""


class TableChangedError(Exception):
    """A table is not what it was when the move was checked."""


@dataclass
class RelocationOutcome:
    """What a move, or its undoing, came to."""

    moved: int = 0
    stayed: Faults = field(default_factory=Faults)
    """Records that could not be moved, and why."""


class Moving:
    """Moves the records of one table."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def run(self, translation: Translation, progress: Progress) -> RelocationOutcome:
        """Move what is there; done again, it moves what has come since. Raises `TableChangedError`."""
        source = translation.source
        async with self._database.workspace(source.workspace_id) as connection:
            facts = translation.to_json()
            move_id = await repository.begin(
                connection, source.workspace_id, source, translation.target, facts, self._new_id(), self._clock()
            )
        outcome, last = RelocationOutcome(), NOWHERE
        while True:
            began = time.monotonic()
            batch = await self._batch(translation, move_id, last, BATCH, outcome)
            if not batch:
                return outcome
            last = batch[-1]
            progress(len(batch))
            await asyncio.sleep(REST * (time.monotonic() - began))

    async def _batch(
        self, translation: Translation, move_id: UUID, after: UUID, limit: int, outcome: RelocationOutcome
    ) -> list[UUID]:
        """Move the next records; those whose values are taken meanwhile are told apart one by one. Their ids."""
        source = translation.source
        try:
            async with self._database.transaction(source.workspace_id) as connection:
                if not await repository.hold_tables(connection, source, translation.target):
                    raise TableChangedError
                batch = await repository.next_records(
                    connection, source.workspace_id, source.id, after, limit, lock=True
                )
                moved = await self._move(connection, translation, move_id, batch, outcome)
        except asyncpg.UniqueViolationError:
            if limit == 1:
                return [await self._refused(translation, after, outcome)]
            return await self._one_by_one(translation, move_id, after, limit, outcome)
        outcome.moved += moved
        return [one.id for one in batch]

    async def _one_by_one(
        self, translation: Translation, move_id: UUID, after: UUID, limit: int, outcome: RelocationOutcome
    ) -> list[UUID]:
        ids: list[UUID] = []
        for _ in range(limit):
            one = await self._batch(translation, move_id, ids[-1] if ids else after, 1, outcome)
            if not one:
                break
            ids += one
        return ids

    async def _refused(self, translation: Translation, after: UUID, outcome: RelocationOutcome) -> UUID:
        source = translation.source
        async with self._database.workspace(source.workspace_id) as connection:
            (record,) = await repository.next_records(connection, source.workspace_id, source.id, after, 1, lock=False)
        outcome.stayed.add(f"its id, or a unique value, is taken in {translation.target.name}", record.id)
        return record.id

    async def _move(
        self,
        connection: Connection,
        translation: Translation,
        move_id: UUID,
        batch: Sequence[Record],
        outcome: RelocationOutcome,
    ) -> int:
        going: list[Record] = []
        values: list[dict[str, Json]] = []
        for record in batch:
            if record.deleted_at is not None:
                going.append(record)
                values.append(translation.carried(record.values))
                continue
            new, problems = translation.arriving(record.values, record.id)
            if problems:
                outcome.stayed.add("; ".join(problem.message for problem in problems), record.id)
            else:
                going.append(record)
                values.append(new)
        if not going:
            return 0
        workspace_id = translation.source.workspace_id
        history = await repository.history_of(connection, workspace_id, [one.id for one in going])
        await repository.note(connection, workspace_id, move_id, going, history)
        await repository.put(connection, translation.source, translation.target, going, values)
        rewritten = [(record_id, version, translation.history(done)) for record_id, version, done in history]
        await repository.rewrite(connection, workspace_id, rewritten)
        return len(going)


class Undoing:
    """Brings records back that nobody has written to since they were moved."""

    def __init__(self, database: Database, tables: Tables) -> None:
        self._database = database
        self._tables = tables

    async def run(self, source: Table, progress: Progress) -> RelocationOutcome:
        """Bring back what can be; done again, it finds nothing more. Raises `TableChangedError`."""
        outcome, last = RelocationOutcome(), NOWHERE
        while True:
            began = time.monotonic()
            batch = await self._batch(source, last, BATCH, outcome)
            if not batch:
                return outcome
            last = batch[-1].record.id
            progress(len(batch))
            await asyncio.sleep(REST * (time.monotonic() - began))

    async def _batch(self, source: Table, after: UUID, limit: int, outcome: RelocationOutcome) -> list[RelocatedRecord]:
        workspace_id = source.workspace_id
        async with self._database.transaction(workspace_id) as connection:
            batch = await repository.next_moved(connection, workspace_id, source.id, after, limit, lock=True)
            moves = await repository.moves_of(connection, workspace_id, source.id)
            for move_id in {one.move_id for one in batch}:
                target = await self._tables.find_now(workspace_id, str(moves[move_id].target_id), connection)
                if not await repository.hold_tables(connection, source, target):
                    raise TableChangedError
                theirs = [one for one in batch if one.move_id == move_id]
                for one in theirs:
                    if one.written:
                        outcome.stayed.add(
                            f"somebody has written to it since; it stays in {target.name}", one.record.id
                        )
                outcome.moved += await _bring_back(
                    connection, source, target, [one for one in theirs if not one.written]
                )
        return batch


async def _bring_back(connection: Connection, source: Table, target: Table, batch: Sequence[RelocatedRecord]) -> int:
    if not batch:
        return 0
    await repository.put(connection, target, source, [one.record for one in batch], [one.values for one in batch])
    history: list[History] = [
        (one.record.id, int(version), changes) for one in batch for version, changes in one.changes.items()
    ]
    await repository.rewrite(connection, source.workspace_id, history)
    await repository.forget(connection, source.workspace_id, [one.record.id for one in batch])
    return len(batch)
