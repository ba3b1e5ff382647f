"""Writing a record by a key of the caller's own: the value of a unique field says which record is meant."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.fields import FIELD_INVALID, pointer
from passerelle.kit.json import Json, loads
from passerelle.kit.observer import note_object
from passerelle.records import errors
from passerelle.records.models import Author, Written
from passerelle.records.repository import RecordRepository
from passerelle.records.service import ATTEMPTS, Records, merging, table_busy
from passerelle.records.sight import sight_of
from passerelle.tables.models import Table
from passerelle.tables.service import Tables
from passerelle.tables.types import type_of
from passerelle.tables.values import is_empty, read_value, unknown_field


class Upserts:
    """Changes the record that has a value, or makes one that has."""

    def __init__(self, database: Database, tables: Tables, records: Records, repository: RecordRepository) -> None:
        self._database = database
        self._tables = tables
        self._records = records
        self._repository = repository

    async def write_at(
        self, workspace_id: UUID, table: str, field: str, text: str, values: Mapping[str, Json], author: Author
    ) -> tuple[Table, Written]:
        """As `write`, with the value as it stands in an address, in a transaction of its own."""
        async with self._database.workspace(workspace_id) as held:
            found = await self._tables.find(workspace_id, table, held)
            try:
                return await self._write(held, found, field, _meant(found, field, text), values, author, alone=True)
            except PasserelleError as error:
                if _ends_transaction(error):
                    raise
                now = await self._tables.find_now(workspace_id, table, held)
                if now.version == found.version:
                    raise
            return await self._write(held, now, field, _meant(now, field, text), values, author, alone=True)

    async def write(
        self,
        connection: Connection,
        workspace_id: UUID,
        table: str,
        field: str,
        value: Json,
        values: Mapping[str, Json],
        author: Author,
    ) -> tuple[Table, Written]:
        """Change the record whose unique `field` has this value, or make one that has.

        Raises FIELD_NOT_UNIQUE, UPSERT_CONFLICT, and what `Records.create` and `Records.merge_values` raise.
        """
        found = await self._tables.find(workspace_id, table, connection)
        return await self._write(connection, found, field, value, values, author, alone=False)

    async def _write(
        self,
        connection: Connection,
        table: Table,
        field: str,
        value: Json,
        values: Mapping[str, Json],
        author: Author,
        *,
        alone: bool,
    ) -> tuple[Table, Written]:
        workspace_id, name = table.workspace_id, str(table.id)
        sight_of(table).require_key(field)
        try:
            stored, wanted = upserted(table, field, value, values)
        except PasserelleError:
            table = await self._tables.find_now(workspace_id, name, connection)
            stored, wanted = upserted(table, field, value, values)
        by = table.by_name[field]
        for _ in range(ATTEMPTS):
            holder, old = await self._repository.holder(connection, table, by, stored)
            if holder is not None and old is None and not sight_of(table).has_all_rows:
                raise errors.VALUE_TAKEN.error(f"another record has this `{field}` already", pointer([field]))
            try:
                if holder is None:
                    _, made = await self._records.create(
                        workspace_id, name, wanted, author, connection=connection, alone=alone
                    )
                    return table, Written(made, created=True)
                note_object(holder)
                _, changed = await self._records.change(
                    workspace_id, name, holder, merging(wanted), author, known=old, connection=connection, alone=alone
                )
                return table, Written(changed, created=False)
            except PasserelleError as error:
                # The value may have found or lost its record since it was looked up.
                if (
                    _ends_transaction(error)
                    or (await self._repository.holder(connection, table, by, stored))[0] == holder
                ):
                    raise
        raise table_busy(table)


def upserted(table: Table, field: str, value: Json, values: Mapping[str, Json]) -> tuple[Json, dict[str, Json]]:
    """The value as it is stored, and the record's values with it. Raises FIELD_NOT_UNIQUE, UPSERT_CONFLICT."""
    known = table.by_name.get(field)
    if known is None:
        raise errors.FIELD_NOT_UNIQUE.error(unknown_field(table, field))
    if not known.unique:
        raise errors.FIELD_NOT_UNIQUE.error(f"`{field}` of the table {table.name} is not unique: make it so first")
    if not known.findable_by_index:
        raise errors.FIELD_NOT_UNIQUE.error(
            f"`{field}` of the table {table.name} is not unique yet: its index is {known.index}, see GET /tables"
        )
    try:
        stored = read_value(known, value)
        other = read_value(known, values[field]) if values.get(field) is not None else stored
    except ValueError as error:
        raise FIELD_INVALID.error(f"`{field}` {error}", pointer([field])) from None
    if is_empty(stored):
        raise FIELD_INVALID.error(f"`{field}` is empty: it must say which record is meant", pointer([field]))
    if other != stored:
        raise errors.UPSERT_CONFLICT.error(
            f"the body's `{field}` is another value than the one that finds the record: leave it out",
            pointer([field]),
        )
    return stored, {**values, field: stored}


def _ends_transaction(error: PasserelleError) -> bool:
    """Whether the database itself has refused the values: nothing more can be asked of it then."""
    return errors.RECORD_NOT_STORABLE.name in {problem.code for problem in error.problems}


def _meant(table: Table, field: str, text: str) -> Json:
    """A field's value that was given as a text."""
    known = table.by_name.get(field)
    if known is not None and type_of(known).kind in ("number", "flag"):
        with suppress(ValueError):
            value: Json = loads(text)
            return value
    return text
