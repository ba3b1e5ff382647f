"""The view of records that were moved: they are read and written under the table that they left, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.fields import FIELD_UNKNOWN, pointer
from passerelle.kit.json import Json
from passerelle.records.models import ERASED, Next, Record
from passerelle.records.relocation import repository
from passerelle.records.relocation.translating import Translation
from passerelle.records.repository import RecordRepository
from passerelle.tables.errors import TABLE_NOT_FOUND
from passerelle.tables.models import Table
from passerelle.tables.service import Tables
from passerelle.tables.values import check_merged

_FOLLOWED: Final = 20


@dataclass(frozen=True)
class RecordPlace:
    """Where a record is now."""

    translation: Translation
    record: Record
    """As it is in the new table."""
    originals: Mapping[str, Json]
    """What it left with, by the keys of the old table."""

    @property
    def target(self) -> Table:
        """The table that it is in."""
        return self.translation.target

    @property
    def view(self) -> Record:
        """The record as the old table would have it."""
        return replace(self.record, values=self.translation.returning(self.record.values, dict(self.originals)))

    def written(self, new: Next) -> Next:
        """A change of the view as one of the record. Raises FIELD_UNKNOWN, FIELD_INVALID, FIELD_REQUIRED."""
        view = self.view.values
        changed = {key for key in view.keys() | new.values.keys() if view.get(key) != new.values.get(key)}
        targets = {source.key: target for source, target in self.translation.pairs}
        problems = [self._left_behind(key) for key in sorted(changed - targets.keys(), key=int)]
        if problems:
            raise PasserelleError(FIELD_UNKNOWN.status, problems)
        carried = self.translation.carried(new.values)
        given: dict[str, Json] = {targets[key].name: carried.get(targets[key].key) for key in changed}
        values = check_merged(self.target, self.record.values, given).require()
        return replace(new, values=values)

    def _left_behind(self, key: str) -> Problem:
        name = self.translation.source.by_key[key].name
        return FIELD_UNKNOWN.problem(
            f"the record was moved to the table {self.target.name}, which has no place for `{name}`: leave it out",
            pointer([name]),
        )


class RecordPlaces:
    """Finds records that were moved."""

    def __init__(self, tables: Tables, repository: RecordRepository) -> None:
        self._tables = tables
        self._repository = repository

    async def find(self, connection: Connection, table: Table, record_id: UUID) -> RecordPlace | None:
        """Where a record of a built-in table is now, deleted or not; one that was merged there as what it became."""
        if not table.built_in:
            return None
        found = await repository.place_of(connection, table.workspace_id, table.id, record_id)
        if found is None:
            return None
        move, originals = found
        try:
            target = await self._tables.find(table.workspace_id, str(move.target_id), connection)
        except PasserelleError as error:
            if error.problems[0].code == TABLE_NOT_FOUND.name:
                return None
            raise
        translation = Translation.from_json(move.map, table, target)
        record = await self._repository.find(connection, target, record_id)
        for _ in range(_FOLLOWED):
            if record is None or record.merged_into in (None, ERASED):
                break
            record, originals = await self._repository.find(connection, target, record.merged_into), {}
        return RecordPlace(translation, record, originals) if record is not None else None
