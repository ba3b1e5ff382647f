"""What records point to: that the related records, and the record's own files, are there when they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.fields import pointer
from passerelle.kit.json import JsonObject
from passerelle.records.errors import ATTACHED_UNKNOWN, RELATED_UNKNOWN
from passerelle.records.repository import RecordRepository
from passerelle.tables.models import Field, Table
from passerelle.tables.service import Tables
from passerelle.tables.values import file_ids, related_ids

_ATTACHED: Final = (
    "SELECT record_id, id FROM attachment WHERE workspace_id = $1 AND record_id = ANY($2) AND id = ANY($3)"
)
_FILES: Final = "SELECT id FROM resource WHERE workspace_id = $1 AND id = ANY($2)"


@dataclass(frozen=True, slots=True)
class Pointing:
    """A record's values that are to be written, and those that it has: what stays is not looked at."""

    record_id: UUID
    values: JsonObject
    old: JsonObject | None = None

    def related(self, table: Table) -> Iterator[tuple[Field, UUID]]:
        """Each relation that is new, with the record that it points to."""
        return ((field, target) for field, target in related_ids(table, self.values) if self._is_new(field))

    def files(self, table: Table) -> Iterator[tuple[Field, UUID]]:
        """Each id in a field of files that is new."""
        return file_ids(table, self.values, self.old or {})

    def _is_new(self, field: Field) -> bool:
        return self.old is None or self.values[field.key] != self.old.get(field.key)


class Relations:
    """Checks relations and ids of files before they are stored."""

    def __init__(self, repository: RecordRepository, tables: Tables) -> None:
        self._repository = repository
        self._tables = tables

    async def problems(self, connection: Connection, table: Table, pointing: Sequence[Pointing]) -> list[list[Problem]]:
        """For each record, what it newly points to and is not there."""
        wanted: dict[UUID, set[UUID]] = {}
        for one in pointing:
            for field, target in one.related(table):
                if field.table_id is not None:
                    wanted.setdefault(field.table_id, set()).add(target)
        missing, merged = await self._missing(connection, table.workspace_id, wanted)
        attached = await self._attached(connection, table, pointing)
        return [
            [
                *(
                    _problem(field, target, merged.get(target))
                    for field, target in one.related(table)
                    if (field.table_id, target) in missing
                ),
                *(
                    _no_file(field, file)
                    for field, file in one.files(table)
                    if not {(one.record_id, file), (None, file)} & attached
                ),
            ]
            for one in pointing
        ]

    async def refuse(self, connection: Connection, table: Table, pointing: Pointing) -> None:
        """Raises RELATED_UNKNOWN and ATTACHED_UNKNOWN for all that the record newly points to and is not there."""
        ((*problems,),) = await self.problems(connection, table, [pointing])
        if problems:
            raise PasserelleError(RELATED_UNKNOWN.status, problems)

    async def _missing(
        self, connection: Connection, workspace_id: UUID, wanted: Mapping[UUID, set[UUID]]
    ) -> tuple[set[tuple[UUID, UUID]], dict[UUID, UUID]]:
        """What is not there, with its table; and what that was merged into, where it was."""
        missing: set[tuple[UUID, UUID]] = set()
        merged: dict[UUID, UUID] = {}
        for table_id, targets in wanted.items():
            try:
                table = await self._tables.find(workspace_id, str(table_id), connection)
            except PasserelleError:
                missing |= {(table_id, target) for target in targets}
                continue
            there = await self._repository.find_many(connection, table, list(targets))
            if gone := targets - there.keys():
                missing |= {(table_id, target) for target in gone}
                merged |= await self._repository.forwards(connection, table, list(gone))
        return missing, merged

    async def _attached(
        self, connection: Connection, table: Table, pointing: Sequence[Pointing]
    ) -> set[tuple[UUID | None, UUID]]:
        """Those of the ids in fields of files that name attachments, each with its record, or files (None)."""
        wanted = {one.record_id: [file for _, file in one.files(table)] for one in pointing}
        files = [file for own in wanted.values() for file in own]
        if not files:
            return set()
        attached = await connection.fetch(_ATTACHED, table.workspace_id, list(wanted), files)
        kept = await connection.fetch(_FILES, table.workspace_id, files)
        return {(row["record_id"], row["id"]) for row in attached} | {(None, row["id"]) for row in kept}


def _problem(field: Field, target: UUID, now: UUID | None) -> Problem:
    reason = "is not there" if now is None else f"was merged into the record {now}: send that id"
    return RELATED_UNKNOWN.problem(
        f"`{field.name}` points to the record {target}, which {reason}", pointer([field.name])
    )


def _no_file(field: Field, file: UUID) -> Problem:
    return ATTACHED_UNKNOWN.problem(
        f"`{field.name}` names {file}, which is neither an attachment of this record nor a file of this workspace: "
        "send it first, with `POST …/attachments` or `POST /resources`",
        pointer([field.name]),
    )
