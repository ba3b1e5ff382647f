"""Which events whoever a request acts for hears of: those of executions and of records that they see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from passerelle.events.models import Event
from passerelle.kit.grants import Acting, acting
from passerelle.records.conditions import Arguments, condition_sql
from passerelle.records.filters import NOTHING
from passerelle.records.sight import rows_read, sight_of
from passerelle.tables.seen import READ, is_limited
from passerelle.tables.service import Tables
from passerelle.workflows.shown import VIEWED, seen_definitions


class Heard:
    """Narrows events (`passerelle.events.service.Narrowing`)."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def condition(self, workspace_id: UUID, values: list[Any]) -> str:
        """The condition on `e`, to follow others; its values are appended to `values`."""
        now = acting()
        if now is None or not _is_narrowed(now):
            return ""
        arguments = Arguments(*values)
        definitions = seen_definitions()
        others = "true"
        if definitions is not None:
            ids = arguments.add([str(one) for one in definitions])
            others = f"e.data->>'workflowDefinitionId' = ANY({ids}::text[])"
        records = await self._records(workspace_id, arguments)
        values[:] = arguments.values
        return f" AND CASE WHEN e.type LIKE 'record.%' THEN {records} ELSE {others} END"

    async def trimmed(self, workspace_id: UUID, events: Sequence[Event]) -> list[Event]:
        """The events without the names of fields that are not seen."""
        now = acting()
        if now is None or not is_limited(now):
            return list(events)
        tables = {str(table.id): table for table in await self._tables.all(workspace_id)}
        found = []
        for event in events:
            table = tables.get(str(event.data.get("tableId")))
            if table is not None and "changed" in event.data:
                shown = sight_of(table).shown.by_name
                changed = [name for name in event.data["changed"] if name in shown]
                found.append(replace(event, data={**event.data, "changed": changed}))
            else:
                found.append(event)
        return found

    async def _records(self, workspace_id: UUID, arguments: Arguments) -> str:
        parts = []
        for table in await self._tables.all(workspace_id):
            rows = rows_read(table)
            if rows != NOTHING:
                parts.append(f"(r.table_id = {arguments.add(table.id)} AND {condition_sql(rows, arguments)})")
        if not parts:
            return "false"
        return (
            "EXISTS (SELECT FROM record r WHERE r.workspace_id = e.workspace_id "
            f"AND r.id = (e.data->>'recordId')::uuid AND ({' OR '.join(parts)}))"
        )


def _is_narrowed(now: Acting) -> bool:
    return is_limited(now) or (VIEWED not in now.caller.permissions and READ not in now.caller.permissions)
