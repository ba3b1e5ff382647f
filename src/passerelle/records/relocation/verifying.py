"""Compares moved records with what they were, value by value, and their history and index rows with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection, Database
from passerelle.kit.json import dumps
from passerelle.records.relocation import repository
from passerelle.records.relocation.checking import NOWHERE, Faults, Progress
from passerelle.records.relocation.repository import RelocatedRecord
from passerelle.records.relocation.translating import Translation
from passerelle.records.repository import index_keys, unique_keys
from passerelle.tables.models import Table
from passerelle.tables.service import Tables

BATCH: Final = 500
_ROWS: Final = (
    "SELECT k.record_id, k.field_id, k.key FROM {relation} k, unnest($2::uuid[], $3::bytea[], $4::uuid[]) "
    "AS n(field_id, key, id) WHERE k.workspace_id = $1 AND k.field_id = n.field_id AND k.key = n.key "
    "AND k.record_id = n.id"
)


@dataclass
class SidesCompared:
    """What comparing both sides came to."""

    records: int = 0
    values: int = 0
    written: int = 0
    """Records that somebody has written to since: their values may differ, their history may not."""
    differences: Faults = field(default_factory=Faults)


class Verifying:
    """Compares every record that has left a table."""

    def __init__(self, database: Database, tables: Tables) -> None:
        self._database = database
        self._tables = tables

    async def run(self, source: Table, progress: Progress) -> SidesCompared:
        """Compare all of them."""
        comparison, last = SidesCompared(), NOWHERE
        workspace_id = source.workspace_id
        while True:
            async with self._database.workspace(workspace_id) as connection:
                batch = await repository.next_moved(connection, workspace_id, source.id, last, BATCH, lock=False)
                if not batch:
                    return comparison
                moves = await repository.moves_of(connection, workspace_id, source.id)
                for move_id in {one.move_id for one in batch}:
                    move = moves[move_id]
                    target = await self._tables.find(workspace_id, str(move.target_id), connection)
                    translation = Translation.from_json(move.map, source, target)
                    theirs = [one for one in batch if one.move_id == move_id]
                    await _compare(connection, translation, theirs, comparison)
            last = batch[-1].record.id
            progress(len(batch))


async def _compare(
    connection: Connection, translation: Translation, batch: Sequence[RelocatedRecord], comparison: SidesCompared
) -> None:
    workspace_id = translation.source.workspace_id
    for one in batch:
        comparison.records += 1
        comparison.written += one.written
        if not one.written:
            _values(translation, one, comparison)
    now: dict[UUID, dict[int, object]] = {one.record.id: {} for one in batch}
    for record_id, version, changes in await repository.history_of(connection, workspace_id, list(now)):
        now[record_id][version] = changes
    for one in batch:
        for moment, changes in one.changes.items():
            wanted = translation.history(changes)
            if wanted and now[one.record.id].get(int(moment)) != wanted:
                comparison.differences.add("its history is not what it was", one.record.id)
    await _indexes(connection, translation.target, batch, comparison)


def _values(translation: Translation, one: RelocatedRecord, comparison: SidesCompared) -> None:
    if one.record.deleted_at is None:
        wanted, _ = translation.arriving(one.values, one.record.id)
    else:
        wanted = translation.carried(one.values)
    for target in translation.target.all_fields:
        was, found = wanted.get(target.key), one.record.values.get(target.key)
        comparison.values += target.key in wanted
        if was != found:
            comparison.differences.add(
                f"`{target.name}` is {dumps(found)[:80]}, and was to be {dumps(was)[:80]}", one.record.id
            )


async def _indexes(
    connection: Connection, target: Table, batch: Sequence[RelocatedRecord], comparison: SidesCompared
) -> None:
    """That every record is found by its indexed and its unique fields."""
    for relation, keys in (("record_key", index_keys), ("record_unique", unique_keys)):
        wanted = {
            (*key, one.record.id)
            for one in batch
            if one.record.deleted_at is None
            for key in keys(target, one.record.values)
        }
        if not wanted:
            continue
        columns = [[row[index] for row in wanted] for index in range(3)]
        rows = await connection.fetch(_ROWS.format(relation=relation), target.workspace_id, *columns)
        for _, _, record_id in wanted - {(row["field_id"], row["key"], row["record_id"]) for row in rows}:
            comparison.differences.add("it is not found by a field that is indexed or unique", record_id)
