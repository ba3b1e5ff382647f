"""Rows of an import that are checked and written together, and come to what they would come to one after the other.

A row touches the unique values that it is about, has and lets go of. Rows of a round touch nothing in common, so
their order does not matter; one that touches what a row before it does waits for the next round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json, JsonObject
from passerelle.records.errors import IMPORT_ROW
from passerelle.records.models import Record
from passerelle.records.relations import Pointing, Relations
from passerelle.records.repository import Key, RecordRepository, key_of, unique_keys
from passerelle.records.rows import Row
from passerelle.records.service import taken
from passerelle.records.upserting import upserted
from passerelle.tables.models import Table
from passerelle.tables.values import check_merged, check_new, is_empty


class OvertakenError(Exception):
    """Somebody changed a record, or the table, at this very moment: the round has to be done another way."""


@dataclass(frozen=True, slots=True)
class RowTarget:
    """A row that says what it is about: its values, and the unique value that finds its record."""

    row: Row
    values: Mapping[str, Json]
    key: Key | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that is right: the record as it is to be, and as it was."""

    row: Row
    record: Record
    old: Record | None

    @property
    def was(self) -> JsonObject | None:
        """The values that the record has."""
        return self.old.values if self.old is not None else None

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.record.values != self.was


@dataclass(slots=True)
class Round:
    """What rows come to: those that are right, those that are refused, and those that wait for the next round."""

    taken: list[Taken] = field(default_factory=list)
    refused: list[tuple[Row, Sequence[Problem]]] = field(default_factory=list)
    rest: list[Row] = field(default_factory=list)

    def keep(self, problems: Sequence[Sequence[Problem]]) -> None:
        """Refuse each row that has problems."""
        judged = list(zip(self.taken, problems, strict=True))
        self.taken = [one for one, wrong in judged if not wrong]
        self.refused += [(one.row, wrong) for one, wrong in judged if wrong]


class Pretended:
    """What a dry run would have written so far, as far as later rows depend on it: who has which unique value."""

    def __init__(self) -> None:
        self._held: dict[Key, UUID | None] = {}
        self._records: dict[UUID, Record] = {}

    def note(self, table: Table, one: Taken) -> None:
        """Pretend that the row's record is written."""
        before = unique_keys(table, one.old.values) if one.old is not None else []
        after = unique_keys(table, one.record.values)
        if before != after:
            self._held |= dict.fromkeys(before) | dict.fromkeys(after, one.record.id)
            kept = {known.key: one.record.values[known.key] for known in table.unique if known.key in one.record.values}
            now = one.record.updated_at
            self._records[one.record.id] = Record(one.record.id, 1, kept, now, now)

    def holders(self, keys: Collection[Key], there: Mapping[Key, UUID]) -> dict[Key, UUID]:
        """Who has these values, where `there` have them in the database."""
        found = {key: self._held.get(key, there.get(key)) for key in keys}
        return {key: holder for key, holder in found.items() if holder is not None}

    def records(self, ids: Collection[UUID], there: Mapping[UUID, Record]) -> dict[UUID, Record]:
        """These records, where `there` are in the database."""
        return {**there, **{one: self._records[one] for one in ids if one in self._records}}


class Judging:
    """Judges rows against a table as it was when they were read."""

    def __init__(self, repository: RecordRepository, relations: Relations, clock: Clock, new_id: NewId) -> None:
        self._repository = repository
        self._relations = relations
        self._clock = clock
        self._new_id = new_id

    async def round(
        self,
        connection: Connection,
        table: Table,
        by: str | None,
        rows: Sequence[Row],
        own: Collection[UUID],
        pretended: Pretended | None,
    ) -> Round:
        """What the rows come to.

        by          the unique field that finds a row's record; None makes a new one of each
        own         records that rows before have made, which a refusal names so
        pretended   of a dry run; without, the records are locked until the transaction ends
        Raises `OvertakenError`.
        """
        found = Round()
        wanted: list[RowTarget] = []
        for row in rows:
            try:
                wanted.append(wish_of(table, by, row))
            except PasserelleError as error:
                found.refused.append((row, error.problems))
        there = await self._there(connection, table, wanted, pretended)
        self._sort(table, wanted, there, found)
        pointing = [Pointing(one.record.id, one.record.values, one.was) for one in found.taken]
        found.keep(await self._relations.problems(connection, table, pointing))
        finder = table.by_name[by].id if by is not None and pretended is None else None
        await self._keep_free(connection, table, found, own, pretended, finder)
        return found

    async def _there(
        self, connection: Connection, table: Table, wanted: Sequence[RowTarget], pretended: Pretended | None
    ) -> dict[Key, Record]:
        """The records that the rows are about."""
        keys = [one.key for one in wanted if one.key is not None]
        holders = await self._holders(connection, table, keys, pretended)
        ids = sorted(set(holders.values()))
        if not ids:
            return {}
        if pretended is None:
            await self._repository.lock(connection, table, ids)
        records = await self._repository.find_many(connection, table, ids)
        if pretended is not None:
            records = pretended.records(ids, records)
        found = {key: records[holder] for key, holder in holders.items() if holder in records}
        if pretended is None and any(key not in found or key not in _keys(table, found[key]) for key in holders):
            raise OvertakenError
        return found

    def _sort(self, table: Table, wanted: Sequence[RowTarget], there: Mapping[Key, Record], found: Round) -> None:
        """Tell the rows apart that are right, wrong, and about what a row before is about."""
        claimed: set[Key] = set()
        now = self._clock()
        for one in wanted:
            old = there.get(one.key) if one.key is not None else None
            if old is None:
                record_id = self._new_id()
                checked = check_new(table, one.values, record_id)
                record = Record(record_id, 1, checked.values, now, now)
            else:
                checked = check_merged(table, old.values, one.values)
                record = Record(old.id, old.version + 1, checked.values, old.created_at, now)
            touched = {one.key} if one.key is not None else set()
            if not checked.problems:
                touched |= _keys(table, record) | (_keys(table, old) if old is not None else set())
            if touched & claimed:
                found.rest.append(one.row)
            elif checked.problems:
                found.refused.append((one.row, checked.problems))
            else:
                found.taken.append(Taken(one.row, record, old))
            claimed |= touched

    async def _keep_free(
        self,
        connection: Connection,
        table: Table,
        found: Round,
        own: Collection[UUID],
        pretended: Pretended | None,
        finder: UUID | None,
    ) -> None:
        """Refuse rows whose unique values other records have.

        Raises `OvertakenError` where the value of the field `finder` has found no record, and has one by now.
        """
        claims = [_keys(table, one.record) - (_keys(table, one.old) if one.old else set()) for one in found.taken]
        holders = await self._holders(connection, table, [key for own_keys in claims for key in own_keys], pretended)
        if any(
            key[0] == finder and key in holders
            for one, keys in zip(found.taken, claims, strict=True)
            if one.old is None
            for key in keys
        ):
            raise OvertakenError
        names = {known.id: known for known in table.unique}
        found.keep(
            [
                [
                    taken(table, names[key[0]], one.record, "a row before" if holder in own else f"the record {holder}")
                    for key in sorted(keys)
                    if (holder := holders.get(key)) is not None
                ]
                for one, keys in zip(found.taken, claims, strict=True)
            ]
        )

    async def _holders(
        self, connection: Connection, table: Table, keys: list[Key], pretended: Pretended | None
    ) -> dict[Key, UUID]:
        if not keys:
            return {}
        there = await self._repository.holders(connection, table.workspace_id, keys)
        return there if pretended is None else pretended.holders(keys, there)


def wish_of(table: Table, by: str | None, row: Row) -> RowTarget:
    """What a row is about. Raises IMPORT_ROW, and what `upserted` raises."""
    if by is None:
        return RowTarget(row, row.values, None)
    given: Any = row.values.get(by)
    if is_empty(given):
        raise IMPORT_ROW.error(f"`{by}` is empty: it must say which record the row is about", f"/{by}")
    stored, values = upserted(table, by, given, row.values)
    known = table.by_name[by]
    return RowTarget(row, values, (known.id, key_of(known, {known.key: stored})))


def _keys(table: Table, record: Record) -> set[Key]:
    return set(unique_keys(table, record.values))
