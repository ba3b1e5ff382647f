"""What of a record may be shown to others, such as webhooks."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from passerelle.kit.database import Database
from passerelle.kit.json import JsonObject
from passerelle.tables.service import Tables

_FIND: Final = """
    SELECT r.table_id, r.values FROM record_table t
    JOIN record r ON r.workspace_id = t.workspace_id AND r.table_id = t.id
    WHERE t.workspace_id = $1 AND r.id = $2 AND r.deleted_at IS NULL
"""


class ShownFields:
    """Reads chosen fields of records, without personal data that was not asked for by its class."""

    def __init__(self, database: Database, tables: Tables) -> None:
        self._database = database
        self._tables = tables

    async def of(
        self, workspace_id: UUID, record_id: UUID, names: Collection[str], classes: Collection[str]
    ) -> JsonObject:
        """The record's values of those of `names` that its table has and whose class of personal data, if they have
        one, is among `classes`. Nothing for an id that is no record's, or a deleted one's."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_FIND, workspace_id, record_id)
            if row is None:
                return {}
            table = await self._tables.find(workspace_id, str(row["table_id"]), connection)
        return {
            field.name: row["values"].get(field.key)
            for field in table.fields
            if field.name in names and (field.pii is None or field.pii in classes)
        }
