"""Writing and reading single records.

Every call takes a `connection`: the engine passes that of its own transaction, so that a step's result and what
it does to records become true together. Without one, the call takes a connection itself and commits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Final
from uuid import UUID

import asyncpg

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.fields import pointer
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json
from passerelle.kit.observer import note_object
from passerelle.records import errors
from passerelle.records.models import ERASED, KEPT_DELETED, Author, Next, Record
from passerelle.records.relations import Pointing, Relations
from passerelle.records.relocation.places import RecordPlace, RecordPlaces
from passerelle.records.repository import RecordRepository, key_of, unique_keys
from passerelle.records.sight import sight_of
from passerelle.tables.errors import TABLE_BUSY
from passerelle.tables.models import Field, Table
from passerelle.tables.service import Tables
from passerelle.tables.values import check_merged, check_new

ATTEMPTS: Final = 60
"""How often a write is tried again because somebody else was faster. Each time, one of them succeeds."""
MERGES_FOLLOWED: Final = 20

Changing = Callable[[Table, Record], Next]


class Records:
    """The records of every workspace."""

    def __init__(
        self, database: Database, tables: Tables, repository: RecordRepository, clock: Clock, new_id: NewId
    ) -> None:
        self._database = database
        self._tables = tables
        self._repository = repository
        self.relations = Relations(repository, tables)
        self.places = RecordPlaces(tables, repository)
        self._clock = clock
        self._new_id = new_id

    async def insert(self, connection: Connection, table: Table, records: Sequence[Record], author: Author) -> bool:
        """Write records that somebody else has made and checked. As `RecordRepository.insert`."""
        return await self._repository.insert(connection, table, records, author)

    async def create(
        self,
        workspace_id: UUID,
        table: str,
        values: Mapping[str, Json],
        author: Author,
        *,
        record_id: UUID | None = None,
        connection: Connection | None = None,
        alone: bool = False,
    ) -> tuple[Table, Record]:
        """Write a new record from values by field name; the same `record_id` again answers with what was made.

        alone   nothing else that has to stay was done in the transaction of `connection`
        Raises TABLE_NOT_FOUND, VALUE_TAKEN, RELATED_UNKNOWN, and all of FIELD_UNKNOWN, FIELD_INVALID and
        FIELD_REQUIRED that apply at once.
        """
        wanted = record_id or self._new_id()
        note_object(wanted)
        # A new id is nobody else's, and a value that is taken is told without an error of the database.
        may_fail = record_id is not None or not (alone or connection is None)
        async with self._connected(workspace_id, connection) as held:
            found = await self._tables.find(workspace_id, table, held)
            for _ in range(ATTEMPTS):
                sight = sight_of(found)
                sight.require_written(values)
                checked = check_new(found, values, wanted)
                if checked.problems:
                    found = await self._tables.find_now(workspace_id, table, held)
                    checked = check_new(found, values, wanted)
                record = Record(wanted, 1, checked.require(), now := self._clock(), now)
                await sight.require_done(held, [record])
                await self.relations.refuse(held, found, Pointing(record.id, record.values))
                if made := await self._insert(held, found, record, author, guarded=may_fail):
                    return found, made
                found = await self._tables.find_now(workspace_id, table, held)
        raise table_busy(found)

    async def read(
        self, workspace_id: UUID, table: str, record_id: UUID, *, connection: Connection | None = None
    ) -> tuple[Table, Record]:
        """A record; one that was merged into another answers with that.

        Raises TABLE_NOT_FOUND, RECORD_NOT_FOUND, and PERMISSION_DENIED for what may be seen, but for nothing else.
        """
        async with self._connected(workspace_id, connection) as held:
            found = await self._tables.find(workspace_id, table, held)
            record = await self._live(held, found, record_id)
            await sight_of(found).require_reached(held, record)
            return found, record

    async def read_locked(
        self, workspace_id: UUID, table: str, record_id: UUID, connection: Connection
    ) -> tuple[Table, Record]:
        """As `read`; nobody else changes the record until the transaction of `connection` ends."""
        found, record = await self.read(workspace_id, table, record_id, connection=connection)
        await self._repository.lock(connection, found, [record.id])
        if (place := await self.places.find(connection, found, record.id)) is not None:
            await self._repository.lock(connection, place.target, [place.record.id])
        return found, await self._live(connection, found, record.id)

    async def table(self, workspace_id: UUID, table: str, connection: Connection | None = None) -> Table:
        """A table by its id or name. Raises TABLE_NOT_FOUND."""
        return await self._tables.find(workspace_id, table, connection)

    async def read_any(
        self, workspace_id: UUID, table: str, record_id: UUID, connection: Connection
    ) -> tuple[Table, Record]:
        """As `read`, also one that can still be restored. Raises TABLE_NOT_FOUND, RECORD_NOT_FOUND."""
        found = await self._tables.find(workspace_id, table, connection)
        record = await self._followed(connection, found, record_id)
        if record is None or self._is_gone(record):
            raise _unknown(found, record_id)
        await sight_of(found).require_reached(connection, record)
        return found, record

    async def merge_values(
        self,
        workspace_id: UUID,
        table: str,
        record_id: UUID,
        values: Mapping[str, Json],
        author: Author,
        *,
        expected: Collection[int] | None = None,
        connection: Connection | None = None,
    ) -> tuple[Table, Record]:
        """Change the fields that `values` names; null empties one.

        Raises RECORD_NOT_FOUND, RECORD_VERSION_CONFLICT, and what `create` raises.
        """

        return await self.change(
            workspace_id, table, record_id, merging(values), author, expected=expected, connection=connection
        )

    async def replace(
        self,
        workspace_id: UUID,
        table: str,
        record_id: UUID,
        values: Mapping[str, Json],
        author: Author,
        *,
        expected: Collection[int] | None = None,
        connection: Connection | None = None,
    ) -> tuple[Table, Record]:
        """Give the record these values and no others. Raises as `merge_values`."""

        def replaced(table: Table, old: Record) -> Next:
            sight = sight_of(table)
            sight.require_written(values, old.values)
            meant = sight.completed(values, old.values, all_fields=True)
            dropped = {key: value for key, value in old.values.items() if _is_dropped(table, key)}
            return Next(dropped | check_new(table, meant, old.id).require())

        return await self.change(
            workspace_id, table, record_id, replaced, author, expected=expected, connection=connection
        )

    async def delete(
        self,
        workspace_id: UUID,
        table: str,
        record_id: UUID,
        author: Author,
        *,
        expected: Collection[int] | None = None,
        connection: Connection | None = None,
    ) -> None:
        """Delete a record; it can be restored for 30 days. Raises RECORD_NOT_FOUND, RECORD_VERSION_CONFLICT."""

        def deleted(table: Table, old: Record) -> Next:
            return Next(old.values, "deleted", deleted_at=self._clock())

        await self.change(workspace_id, table, record_id, deleted, author, expected=expected, connection=connection)

    async def restore(
        self,
        workspace_id: UUID,
        table: str,
        record_id: UUID,
        author: Author,
        *,
        connection: Connection | None = None,
    ) -> tuple[Table, Record]:
        """Bring back a record that was deleted within 30 days. Raises RECORD_NOT_FOUND, NOT_DELETED, VALUE_TAKEN."""
        async with self._connected(workspace_id, connection) as held:
            found = await self._tables.find_now(workspace_id, table, held)
            old = await self._repository.find(held, found, record_id)
            if old is None or old.merged_into is not None or self._is_gone(old):
                raise _unknown(found, record_id)
            if old.deleted_at is None:
                raise errors.NOT_DELETED.error(f"the record {record_id} is not deleted")
            await sight_of(found).require_done(held, [old])
            await self._repository.require_room(held, workspace_id, 1)
            restored = await self._update(held, found, old, Next(old.values, "restored"), author, guarded=True)
        if restored is None:
            raise _busy(record_id)
        return found, restored

    async def change(
        self,
        workspace_id: UUID,
        table: str,
        record_id: UUID,
        changing: Changing,
        author: Author,
        *,
        expected: Collection[int] | None = None,
        known: Record | None = None,
        connection: Connection | None = None,
        alone: bool = False,
    ) -> tuple[Table, Record]:
        """Any change, worked out from the record as it is at that moment; `changing` may be called again.

        expected   the versions that may be changed; None for any
        known      the record as it was read a moment ago
        alone      nothing else that has to stay was done in the transaction of `connection`
        Raises RECORD_NOT_FOUND, RECORD_VERSION_CONFLICT, and what `changing` raises.
        """
        async with self._connected(workspace_id, connection) as held:
            found = await self._tables.find(workspace_id, table, held)
            for _ in range(ATTEMPTS):
                old = (
                    known
                    if known is not None and known.deleted_at is None
                    else await self._live(held, found, record_id)
                )
                known = None
                if expected is not None and old.version not in expected:
                    raise version_conflict(old)
                try:
                    new = changing(found, old)
                except PasserelleError:
                    now = await self._tables.find_now(workspace_id, table, held)
                    if now.version == found.version:
                        raise
                    found = now
                    continue
                await sight_of(found).require_done(held, [old, replace(old, values=dict(new.values))])
                if new.action == "updated" and new.values == old.values:
                    return found, old
                await self.relations.refuse(held, found, Pointing(old.id, new.values, old.values))
                guarded = not (alone or connection is None)
                changed = await self._update(held, found, old, new, author, guarded=guarded)
                if changed is not None:
                    return found, changed
                found = await self._tables.find_now(workspace_id, table, held)
        raise _busy(record_id)

    async def _insert(
        self, connection: Connection, table: Table, record: Record, author: Author, *, guarded: bool
    ) -> Record | None:
        """The record as it is stored; None if the table has changed, or a value is free that was taken.

        guarded   the id may be there already, or the transaction has to outlive an error of the database
        """
        try:
            async with _savepoint(connection) if guarded else nullcontext():
                return record if await self._repository.insert(connection, table, [record], author) else None
        except (errors.ValueTakenError, asyncpg.UniqueViolationError) as error:
            before = await self._followed(connection, table, record.id) if guarded else None
            if before is not None:
                return before
            holders = await self._refuse_taken(connection, table, record)
            # Whoever has this id is there, but is not seen.
            if record.id in holders or not (isinstance(error, errors.ValueTakenError) or sight_of(table).has_all_rows):
                raise errors.VALUE_TAKEN.error("another record has this id already") from None
            if isinstance(error, errors.ValueTakenError):
                return None
            raise

    async def _update(
        self, connection: Connection, table: Table, old: Record, new: Next, author: Author, *, guarded: bool
    ) -> Record | None:
        """The changed record; None if it or the table has changed meanwhile, or a value is free that was taken.

        guarded   the transaction has to outlive an error of the database
        """
        # Only who takes a unique value can be too late: all else is compared in the statement itself.
        takes = new.action != "updated" or unique_keys(table, new.values) != unique_keys(table, old.values)
        try:
            async with _savepoint(connection) if takes or guarded else nullcontext():
                updated = await self._repository.update(connection, table, old, new, author, self._clock())
        except asyncpg.UniqueViolationError:
            await self._refuse_taken(connection, table, replace(old, values=dict(new.values)))
            return None
        if updated is None and (place := await self.places.find(connection, table, old.id)) is not None:
            return await self._update_moved(connection, place, old, new, author, guarded=guarded)
        return updated

    async def _update_moved(
        self, connection: Connection, place: RecordPlace, old: Record, new: Next, author: Author, *, guarded: bool
    ) -> Record | None:
        """The change, where the record is now; None if it has changed meanwhile."""
        if place.record.version != old.version:
            return None
        written = place.written(new)
        pointing = Pointing(place.record.id, written.values, place.record.values)
        await self.relations.refuse(connection, place.target, pointing)
        changed = await self._update(connection, place.target, place.record, written, author, guarded=guarded)
        if changed is None:
            self._tables.forget(place.target)
            return None
        return replace(place, record=changed).view

    async def _live(self, connection: Connection, table: Table, record_id: UUID) -> Record:
        """The record, or the one that it was merged into. Raises RECORD_NOT_FOUND."""
        record = await self._followed(connection, table, record_id)
        if record is None:
            raise _unknown(table, record_id)
        if record.deleted_at is not None:
            if record.merged_into is not None or self._is_gone(record):
                raise _unknown(table, record_id)
            raise errors.RECORD_NOT_FOUND.error(
                f"the record {record_id} of the table {table.name} was deleted: `POST …/restore` brings it back"
            )
        return record

    async def _followed(self, connection: Connection, table: Table, record_id: UUID) -> Record | None:
        """The record, or the one that it was merged into, deleted or not."""
        wanted = record_id
        for _ in range(MERGES_FOLLOWED):
            record = await self._repository.find(connection, table, wanted)
            if record is None:
                place = await self.places.find(connection, table, wanted)
                return place.view if place is not None else None
            if record.merged_into in (None, ERASED):
                return record
            wanted = record.merged_into
        return None

    async def known_as(self, workspace_id: UUID, record_id: UUID, connection: Connection | None = None) -> list[UUID]:
        """Every id that leads to the same record: executions may name any of them."""
        async with self._connected(workspace_id, connection) as own:
            return await self._repository.known_as(own, workspace_id, record_id)

    async def _refuse_taken(self, connection: Connection, table: Table, record: Record) -> set[UUID]:
        """Who has the record's unique values: itself, or nobody.

        Raises VALUE_TAKEN with every one that another record has.
        """
        holders = await self._repository.holders(connection, table.workspace_id, unique_keys(table, record.values))
        problems = [
            taken(
                table,
                field,
                record,
                "another record" if await self._is_hidden(connection, table, holder) else f"the record {holder}",
            )
            for field in table.unique
            if field.key in record.values
            and (holder := holders.get((field.id, key_of(field, record.values)))) is not None
            and holder != record.id
        ]
        if problems:
            raise PasserelleError(errors.VALUE_TAKEN.status, problems)
        return set(holders.values())

    async def _is_hidden(self, connection: Connection, table: Table, record_id: UUID) -> bool:
        """Whether the record is there, but not for whoever the request acts for."""
        if sight_of(table).has_all_rows:
            return False
        return await self._repository.find(connection, table, record_id) is None

    def _is_gone(self, record: Record) -> bool:
        old = record.deleted_at is not None and record.deleted_at < self._clock() - KEPT_DELETED
        return old and record.merged_into != ERASED

    @asynccontextmanager
    async def _connected(self, workspace_id: UUID, connection: Connection | None) -> AsyncIterator[Connection]:
        if connection is not None:
            yield connection
            return
        async with self._database.workspace(workspace_id) as own:
            yield own


@asynccontextmanager
async def _savepoint(connection: Connection) -> AsyncIterator[None]:
    """Inside of a transaction, a statement that fails must not take the rest along."""
    if not connection.is_in_transaction():
        yield
        return
    async with connection.transaction():
        yield


def merging(values: Mapping[str, Json]) -> Changing:
    """Change the fields that `values` names; null empties one."""

    def merged(table: Table, old: Record) -> Next:
        sight = sight_of(table)
        sight.require_written(values, old.values)
        meant = sight.completed(values, old.values, all_fields=False)
        return Next(check_merged(table, old.values, meant).require())

    return merged


def taken(table: Table, field: Field, record: Record, who: str) -> Problem:
    """VALUE_TAKEN: `who` has the record's value of a unique field."""
    value = _short(sight_of(table).value(field.key, record.values[field.key]))
    return errors.VALUE_TAKEN.problem(f"{who} has `{value}` in `{field.name}` already", pointer([field.name]))


def _is_dropped(table: Table, key: str) -> bool:
    return key not in table.by_key or table.by_key[key].dropped


def _short(value: Json) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _unknown(table: Table, record_id: UUID) -> PasserelleError:
    return errors.RECORD_NOT_FOUND.error(f"the table {table.name} has no record {record_id}")


def version_conflict(record: Record) -> PasserelleError:
    """RECORD_VERSION_CONFLICT: the record is at another version than the caller expects."""
    return errors.RECORD_VERSION_CONFLICT.error(
        f"the record is at version {record.version}: read it again and repeat the change on it"
    )


def _busy(record_id: UUID) -> PasserelleError:
    return errors.RECORD_BUSY.error(f"too many changes of the record {record_id} at once: send the request again")


def table_busy(table: Table) -> PasserelleError:
    return TABLE_BUSY.error(f"the table {table.name} changes too fast: send the request again")
