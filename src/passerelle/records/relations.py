"""Relations of records: that what they point to is there when they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from passerelle.errors import PasserelleError, Problem
from passerelle.kit.database import Connection
from passerelle.kit.http.fields import pointer
from passerelle.kit.json import JsonObject
from passerelle.records.errors import RELATED_UNKNOWN
from passerelle.records.repository import RecordRepository
from passerelle.tables.models import Field, Table
from passerelle.tables.values import related_ids


class Relations:
    """Checks relations before they are stored."""

    def __init__(self, repository: RecordRepository) -> None:
        self._repository = repository

    async def problems(
        self, connection: Connection, table: Table, values: Sequence[JsonObject], old: JsonObject | None = None
    ) -> list[list[Problem]]:
        """For each record's values, its relations that point to nothing; those that `old` has are not looked at."""
        wanted: dict[UUID, set[UUID]] = {}
        for one in values:
            for field, target in related_ids(table, one):
                if field.table_id is not None and _is_new(field, one, old):
                    wanted.setdefault(field.table_id, set()).add(target)
        if not wanted:
            return [[] for _ in values]
        missing, merged = await self._missing(connection, table.workspace_id, wanted)
        return [
            [
                _problem(field, target, merged.get(target))
                for field, target in related_ids(table, one)
                if _is_new(field, one, old) and (field.table_id, target) in missing
            ]
            for one in values
        ]

    async def refuse(
        self, connection: Connection, table: Table, values: JsonObject, old: JsonObject | None = None
    ) -> None:
        """Raises RELATED_UNKNOWN for each relation that points to nothing; those that stay are not looked at."""
        ((*problems,),) = await self.problems(connection, table, [values], old)
        if problems:
            raise PasserelleError(RELATED_UNKNOWN.status, problems)

    async def _missing(
        self, connection: Connection, workspace_id: UUID, wanted: Mapping[UUID, set[UUID]]
    ) -> tuple[set[tuple[UUID, UUID]], dict[UUID, UUID]]:
        """What is not there, with its table; and what that was merged into, where it was."""
        missing: set[tuple[UUID, UUID]] = set()
        merged: dict[UUID, UUID] = {}
        for table_id, targets in wanted.items():
            there = await self._repository.find_many(connection, table_id, workspace_id, list(targets))
            if gone := targets - there.keys():
                missing |= {(table_id, target) for target in gone}
                merged |= await self._repository.forwards(connection, table_id, workspace_id, list(gone))
        return missing, merged


def _problem(field: Field, target: UUID, now: UUID | None) -> Problem:
    reason = "is not there" if now is None else f"was merged into the record {now}: send that id"
    return RELATED_UNKNOWN.problem(
        f"`{field.name}` points to the record {target}, which {reason}", pointer([field.name])
    )


def _is_new(field: Field, values: JsonObject, old: JsonObject | None) -> bool:
    return old is None or values[field.key] != old.get(field.key)
