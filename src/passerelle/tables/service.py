"""Defining, changing and finding tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.fields import pointer
from passerelle.kit.ids import NewId, parse_id
from passerelle.kit.json import JsonObject
from passerelle.kit.memory import Memory, Remembered
from passerelle.tables.defining import Defined, Defining, Losses, check_table_name
from passerelle.tables.differences import differences, renames_left
from passerelle.tables.errors import (
    TABLE_BUILT_IN,
    TABLE_BUSY,
    TABLE_LOSES_DATA,
    TABLE_NAME_TAKEN,
    TABLE_NOT_FOUND,
    TABLE_REFERENCED,
    TABLE_VERSION_CONFLICT,
)
from passerelle.tables.files import written
from passerelle.tables.models import Field, Table
from passerelle.tables.repository import NameTaken, TableRepository
from passerelle.tables.schemas import (
    DifferenceAnswer,
    FieldBody,
    LossAnswer,
    TableAnswer,
    TableBody,
    TableChangeBody,
    TablePreview,
    body_of,
    table_answer,
)
from passerelle.tables.seen import is_seen, seen
from passerelle.tables.types import value_schema

_KEPT: Final = 4_096
_AGE: Final = 1.0
"""Seconds that a process may read with a table as it was. Writes name its version, so they are never wrong."""


class Tables:
    """The tables of every workspace."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        new_id: NewId,
        memory: Memory | None = None,
    ) -> None:
        self._repository = TableRepository(database)
        self._clock = clock
        self._new_id = new_id
        self._known: Remembered[tuple[UUID, UUID | str], Table] = (memory or Memory()).of(
            ("record_table",), lambda key, _: key[0], size=_KEPT, age=_AGE
        )

    async def find(self, workspace_id: UUID, reference: str, connection: Connection | None = None) -> Table:
        """A table by its id or name, possibly as it was a moment ago. Raises TABLE_NOT_FOUND.

        connection   the one to read on, for callers that hold one
        """
        wanted: UUID | str = parse_id(reference) or reference
        found = await self._known.get((workspace_id, wanted), lambda: self._look(workspace_id, wanted, connection))
        return _seen(found, reference)

    async def find_now(self, workspace_id: UUID, reference: str, connection: Connection | None = None) -> Table:
        """As `find`, read anew."""
        wanted: UUID | str = parse_id(reference) or reference
        found = await self._known.read((workspace_id, wanted), lambda: self._look(workspace_id, wanted, connection))
        return _seen(found, reference)

    async def create(self, workspace_id: UUID, table_id: UUID, body: TableBody, *, built_in: bool = False) -> Table:
        """Make a table. The same id again answers with what was made.

        Raises TABLE_NAME_TAKEN, FIELD_NAME_INVALID, and everything that is wrong with its fields at once.
        """
        check_table_name(body.name)
        names = await self._references(workspace_id) | {body.name: table_id}
        defined = Defining((), names, self._new_id, new_table=True).fields(body.fields)
        now = self._clock()
        table = Table(workspace_id, table_id, body.name, body.title, defined.fields, built_in, 1, now, now)
        try:
            made = await self._repository.insert(table)
        except NameTaken:
            raise _name_taken(body.name) from None
        return table if made else await self.find_now(workspace_id, str(table_id))

    async def change(
        self,
        workspace_id: UUID,
        reference: str,
        body: TableChangeBody,
        *,
        expected: Collection[int] | None = None,
        lose_data: bool = False,
    ) -> Table:
        """Change a table's name, title or fields; records stay as they are, whatever their number.

        Raises TABLE_NOT_FOUND, TABLE_VERSION_CONFLICT, TABLE_LOSES_DATA, TABLE_TYPE_CHANGE, TABLE_BUILT_IN…
        """
        table = await self.find_now(workspace_id, reference)
        if expected is not None and table.version not in expected:
            raise TABLE_VERSION_CONFLICT.error(
                f"the table is at version {table.version}: read it again and repeat the change on it"
            )
        changed = await self._changed(table, body, lose_data=lose_data)
        stale = _stale(table.all_fields, changed.all_fields)
        try:
            done = await self._repository.update(changed, self._clock(), stale)
        except NameTaken:
            raise _name_taken(changed.name) from None
        self.forget(table)
        if not done:
            raise TABLE_BUSY.error("somebody else changed the table at the same moment: send the request again")
        return await self.find_now(workspace_id, str(table.id))

    async def preview(self, workspace_id: UUID, reference: str, body: TableChangeBody) -> TablePreview:
        """What a change would do. Raises as `change`, but for TABLE_LOSES_DATA: it is part of the answer."""
        table = await self.find_now(workspace_id, reference)
        losses: list[Problem] = []
        try:
            changed = await self._changed(table, body, lose_data=False)
        except PasserelleError as error:
            if any(one.code != TABLE_LOSES_DATA.name for one in error.problems):
                raise
            losses = list(error.problems)
            changed = await self._changed(table, body, lose_data=True)
        shown = await self.answers(workspace_id, [table, changed])
        before, after = [body_of(one.model_dump(by_alias=True)) for one in shown]
        renamed = {field.name: field.renamed_from for field in body.fields or ()}
        wanted = after.model_copy(
            update={
                "fields": [field.model_copy(update={"renamed_from": renamed.get(field.name)}) for field in after.fields]
            }
        )
        found = [
            DifferenceAnswer(sign=one.sign, text=one.text) for one in differences(before, renames_left(before, wanted))
        ]
        if before.name != after.name:
            found.insert(0, DifferenceAnswer(sign="~", text=f"name: {before.name} → {after.name}"))
        return TablePreview(
            differences=found,
            losses=[LossAnswer(code=one.code, message=one.message) for one in losses],
            file=written(after),
        )

    async def file(self, workspace_id: UUID, reference: str) -> str:
        """A table's file, as `passerelle pull` writes it. Raises TABLE_NOT_FOUND."""
        table = await self.find_now(workspace_id, reference)
        [shown] = await self.answers(workspace_id, [table])
        return written(body_of(shown.model_dump(by_alias=True)))

    async def replace_fields(self, table: Table, fields: tuple[Field, ...]) -> bool:
        """Write fields whose index has changed its state. False if the table has changed meanwhile."""
        self.forget(table)
        return await self._repository.update(table.with_fields(fields), self._clock())

    async def delete(self, workspace_id: UUID, reference: str, *, lose_data: bool = False) -> None:
        """Delete a table with its records. Raises TABLE_NOT_FOUND, TABLE_LOSES_DATA, UNDER_LEGAL_HOLD…"""
        table = await self.find_now(workspace_id, reference)
        if table.built_in:
            raise TABLE_BUILT_IN.error(f"the table {table.name} comes with every workspace and cannot be deleted")
        await self._refuse_referenced(table)
        if not lose_data and await self._repository.has_values(table):
            raise TABLE_LOSES_DATA.error(
                f"the table {table.name} has records: repeat the request with `?loseData=true` to delete them too"
            )
        self.forget(table)
        if not await self._repository.delete(table):
            raise TABLE_BUSY.error("somebody else changed the table at the same moment: send the request again")

    async def listed(self, workspace_id: UUID, after: str, limit: int) -> list[Table]:
        """Tables by name, after the name `after`: those that whoever asks may know of."""
        found: list[Table] = []
        while len(found) < limit and (batch := await self._repository.listed(workspace_id, after, limit)):
            found += filter(is_seen, batch)
            after = batch[-1].name
        return found[:limit]

    async def field_names(self, workspace_id: UUID) -> dict[str, frozenset[str]]:
        """The names of every table's fields, by the table's name."""
        return {table.name: frozenset(table.by_name) for table in await self.all(workspace_id)}

    async def field_values(self, workspace_id: UUID) -> dict[str, dict[str, JsonObject]]:
        """What is known of the values of every table's fields: a JSON Schema, by table and field."""
        return {
            table.name: {
                field.name: value_schema(field.type, [one.value for one in field.options]) for field in table.fields
            }
            for table in await self.all(workspace_id)
        }

    async def all(self, workspace_id: UUID) -> list[Table]:
        """Every table of the workspace, by name."""
        found: list[Table] = []
        while batch := await self._repository.listed(workspace_id, found[-1].name if found else "", 100):
            found += batch
        return found

    async def pointing_to(self, workspace_id: UUID, table_id: UUID) -> list[tuple[Table, Field]]:
        """The relation fields whose records are of this table, with the tables that have them."""
        tables = await self.all(workspace_id)
        return [(table, field) for table in tables for field in table.fields if field.table_id == table_id]

    async def answers(self, workspace_id: UUID, tables: Sequence[Table]) -> list[TableAnswer]:
        """Tables as the API shows them."""
        related = any(field.table_id for table in tables for field in table.fields)
        names = await self._repository.names(workspace_id) if related else {}
        return [table_answer(seen(table), names) for table in tables]

    def forget(self, table: Table) -> None:
        """Read this table anew next time."""
        self._known.forget(table.workspace_id)

    async def _look(self, workspace_id: UUID, wanted: UUID | str, connection: Connection | None) -> Table:
        if connection is None:
            table = await self._repository.find(workspace_id, wanted)
        else:
            table = await self._repository.find_on(connection, workspace_id, wanted)
        if table is None:
            raise _not_found(str(wanted))
        return table

    async def _changed(self, table: Table, body: TableChangeBody, *, lose_data: bool) -> Table:
        if body.name is not None and body.name != table.name:
            check_table_name(body.name)
            if table.built_in:
                raise TABLE_BUILT_IN.error(f"the table {table.name} comes with every workspace and keeps its name")
        fields = table.all_fields
        if body.fields is not None:
            defined = await self._defined(table, body.fields)
            if not lose_data:
                await self._refuse_losses(table, defined.losses)
            fields = defined.fields
        title = body.title if "title" in body.model_fields_set else table.title
        return replace(table, name=body.name or table.name, title=title, all_fields=fields)

    async def _defined(self, table: Table, bodies: Sequence[FieldBody]) -> Defined:
        names = await self._references(table.workspace_id)
        defined = Defining(table.all_fields, names, self._new_id, new_table=False).fields(bodies)
        if table.built_in:
            _refuse_other_fields(table, defined)
        return defined

    async def _refuse_losses(self, table: Table, losses: Losses) -> None:
        problems: list[Problem] = []
        for field in losses.dropped:
            if await self._repository.has_values(table, field):
                problems.append(_loss(f"records have values of `{field.name}`, which the new fields lack"))
        for field, option in losses.options:
            if await self._repository.has_values(table, field, option):
                problems.append(_loss(f"records have the option `{option}` of `{field.name}`, which is to go"))
        if problems:
            raise PasserelleError(TABLE_LOSES_DATA.status, problems)

    async def _refuse_referenced(self, table: Table) -> None:
        for other, field in await self.pointing_to(table.workspace_id, table.id):
            if other.id != table.id:
                raise TABLE_REFERENCED.error(
                    f"`{field.name}` of the table {other.name} points to {table.name}: drop that field first"
                )

    async def _references(self, workspace_id: UUID) -> dict[str, UUID]:
        names = await self._repository.names(workspace_id)
        return {name: table_id for table_id, name in names.items()} | {str(table_id): table_id for table_id in names}


def _seen(table: Table, reference: str) -> Table:
    if not is_seen(table):
        raise _not_found(reference)
    return table


def _refuse_other_fields(table: Table, defined: Defined) -> None:
    """A built-in table may get more fields; those that it has keep their names and types."""
    now = {field.key: (field.name, field.type) for field in defined.fields if not field.dropped}
    gone = ", ".join(field.name for field in table.fields if now.get(field.key) != (field.name, field.type))
    if gone:
        raise TABLE_BUILT_IN.error(f"the table {table.name} comes with every workspace and keeps {gone}", "/fields")


def _stale(old: Sequence[Field], new: Sequence[Field]) -> list[UUID]:
    """The indexes that the new fields do not use any more."""
    used = {field.id for field in new if not field.dropped and (field.keyed or field.unique)}
    return [field.id for field in old if (field.indexed or field.unique) and not field.dropped and field.id not in used]


def _loss(message: str) -> Problem:
    return TABLE_LOSES_DATA.problem(f"{message}: repeat the request with `?loseData=true`", pointer(["fields"]))


def _not_found(reference: str) -> PasserelleError:
    return TABLE_NOT_FOUND.error(f"this workspace has no table `{reference[:80]}`: GET /tables lists those that it has")


def _name_taken(name: str) -> PasserelleError:
    return TABLE_NAME_TAKEN.error(f"this workspace has a table `{name}` already: choose another name", "/name")
