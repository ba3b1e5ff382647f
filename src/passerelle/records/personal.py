"""What is personal in records: the values of fields with a `pii` class, now and in their history."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.grants import acting, by_itself
from passerelle.kit.json import Json, JsonObject
from passerelle.records.sight import seen_ids, sight_of
from passerelle.tables.models import Table
from passerelle.tables.seen import is_limited
from passerelle.tables.service import Tables

_VALUES: Final = """
    SELECT r.id, r.table_id, r.values, c.changes
    FROM record r LEFT JOIN record_change c ON c.workspace_id = r.workspace_id AND c.record_id = r.id
    WHERE r.workspace_id = $1 AND r.id = ANY($2)
    UNION ALL
    SELECT m.record_id, v.source_id, m.values, c.value
    FROM record_moved m JOIN record_move v ON v.workspace_id = m.workspace_id AND v.id = m.move_id
        LEFT JOIN LATERAL jsonb_each(m.changes) c ON true
    WHERE m.workspace_id = $1 AND m.record_id = ANY($2)
"""


class PersonalValues:
    """Finds what has to be masked where records leave their tables."""

    def __init__(self, database: Database, tables: Tables) -> None:
        self._database = database
        self._tables = tables

    async def of_records(
        self, workspace_id: UUID, record_ids: Collection[UUID], connection: Connection | None = None
    ) -> list[Json]:
        """Every value that a personal field of one of these records has, or had."""
        if not record_ids:
            return []
        found: list[Json] = []
        async with self._database.joined(connection, workspace_id) as own:
            for row in await own.fetch(_VALUES, workspace_id, list(record_ids)):
                with by_itself():
                    table = await self._tables.find(workspace_id, str(row["table_id"]), own)
                for key in personal_keys(table):
                    change = (row["changes"] or {}).get(key, {})
                    found += [row["values"].get(key), change.get("old"), change.get("new")]
        return [value for value in found if value is not None]

    async def hidden_of(self, workspace_id: UUID, record_ids: Collection[UUID]) -> list[Json]:
        """Every value of these records that whoever asks does not see because of the fields or records they see."""
        if not record_ids or (now := acting()) is None or not is_limited(now):
            return []
        found: list[Json] = []
        async with self._database.workspace(workspace_id) as connection:
            for row in await connection.fetch(_VALUES, workspace_id, list(record_ids)):
                with by_itself():
                    table = await self._tables.find(workspace_id, str(row["table_id"]), connection)
                there = await seen_ids(connection, table, [row["id"]])
                shown = {field.key for field in sight_of(table).shown.fields} if there else set()
                for key in table.by_key.keys() - shown:
                    change = (row["changes"] or {}).get(key, {})
                    found += [row["values"].get(key), change.get("old"), change.get("new")]
        return [value for value in found if value is not None]

    async def of_values(self, workspace_id: UUID, table: str, values: JsonObject) -> list[Json]:
        """Those of the values, by field name, that are of personal fields; none where the table is not there."""
        try:
            with by_itself():
                found = await self._tables.find(workspace_id, table)
        except PasserelleError:
            return []
        return [values[field.name] for field in found.fields if field.pii and values.get(field.name) is not None]


def personal_keys(table: Table) -> frozenset[str]:
    """The keys of the table's personal fields, dropped ones too."""
    return frozenset(field.key for field in table.all_fields if field.pii)
