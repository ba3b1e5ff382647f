"""The records of one scenario, in memory: what steps and expressions do to them happens to no database.

A scenario knows no table, so nothing is checked here: neither types, nor what is required, nor what is unique.
How a step fails that meets such a rule, a scenario says among its `answers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from passerelle.definitions.expressions.values import equal
from passerelle.definitions.facts import CASES
from passerelle.definitions.model import Definition
from passerelle.engine.kinds import RecordWork, StepFailure
from passerelle.engine.model import Identity
from passerelle.engine.recording import Performed
from passerelle.kit.clock import Clock, iso
from passerelle.kit.ids import parse_id
from passerelle.kit.json import Json, JsonObject

_FIELD: Final = re.compile(r"\b(record|case)\.([A-Za-z_][A-Za-z0-9_]*)")
_SYSTEM: Final = frozenset({"id", "version", "createdAt", "updatedAt"})
_FIRST: Final = 0x1000
"""Where the ids begin that are counted up."""


class GivenRecords:
    """Records by table, which a play reads and changes; `passerelle.engine.recording.WorkspaceRecords`."""

    def __init__(
        self, definition: Definition, given: Mapping[str, Sequence[JsonObject]], own: JsonObject | None, clock: Clock
    ) -> None:
        """`given`: records by table. `own`: the record that the execution is started with, if it is."""
        self._clock = clock
        self._fields = {table: dict.fromkeys(names) for table, names in _named_fields(definition).items()}
        self._tables: dict[str, list[JsonObject]] = {}
        self._count = 0
        for table, records in given.items():
            for record in records:
                self._create(table, record)
        self.own: UUID | None = None
        its_table = own_table(definition)
        if own is not None and its_table is not None:
            self.own = UUID(str(self._create(its_table, own)["id"]))

    @property
    def tables(self) -> Mapping[str, Sequence[JsonObject]]:
        """Every record, by table, in the order in which they were made."""
        return self._tables

    async def read(
        self, workspace_id: UUID, table: str, record_id: UUID, connection: object = None
    ) -> JsonObject | None:
        """A record, if it is there."""
        return next((record for record in self._rows(table) if record["id"] == str(record_id)), None)

    async def perform(self, connection: object, definition: Definition, by: Identity, work: RecordWork) -> Performed:
        """Do it. Raises `StepFailure`."""
        if work.action == "find":
            found = [record for record in reversed(self._rows(work.table)) if _fits(record, work.fields)]
            return Performed({"records": found[: work.limit]})
        if work.action == "create":
            return self._performed(self._create(work.table, work.fields))
        if work.action == "update":
            return self._performed(self._change(work.table, str(work.id), work.fields))
        by_field = {str(work.by): work.fields.get(str(work.by))}
        holder = next((record for record in self._rows(work.table) if _fits(record, by_field)), None)
        if holder is None:
            return self._performed(self._create(work.table, work.fields))
        return self._performed(self._change(work.table, str(holder["id"]), work.fields))

    def _performed(self, record: JsonObject) -> Performed:
        return Performed(record, UUID(str(record["id"])))

    def _rows(self, table: str) -> list[JsonObject]:
        return self._tables.setdefault(table, [])

    def _create(self, table: str, fields: JsonObject) -> JsonObject:
        self._count += 1
        given = parse_id(str(fields["id"])) if "id" in fields else None
        now = iso(self._clock())
        record = {
            "id": str(given or UUID(int=_FIRST + self._count)),
            "version": 1,
            "createdAt": now,
            "updatedAt": now,
            **self._fields.get(table, {}),
            **{name: value for name, value in fields.items() if name not in _SYSTEM},
        }
        self._rows(table).append(record)
        return record

    def _change(self, table: str, record_id: str, fields: JsonObject) -> JsonObject:
        rows = self._rows(table)
        for number, record in enumerate(rows):
            if record["id"] == record_id:
                changed = {**record, **fields}
                if changed != record:
                    changed |= {"version": record["version"] + 1, "updatedAt": iso(self._clock())}
                rows[number] = changed
                return changed
        raise StepFailure("RECORD_NOT_FOUND", f"the table {table} has no record {record_id}")


def own_table(definition: Definition) -> str | None:
    """The table that the record of an execution is in; None where executions have none."""
    if definition.record is not None:
        return definition.record.table
    return CASES if "case" in definition.reads else None


def _fits(record: JsonObject, fields: JsonObject) -> bool:
    return all(equal(record.get(name), value) for name, value in fields.items())


def _named_fields(definition: Definition) -> dict[str, set[str]]:
    """The fields that the definition names, by table: a record has them all, and null where nothing was written."""
    bound = definition.record.table if definition.record is not None else ""
    named: dict[str, set[str]] = {}
    for root, name in _read(definition.document):
        if name not in _SYSTEM:
            named.setdefault(CASES if root == "case" else bound, set()).add(name)
    for work in _works(definition.document):
        for action in ("create", "update", "upsert", "find"):
            named.setdefault(work.get("table", bound), set()).update(work.get(action) or ())
    return named


def _read(value: Json) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from _FIELD.findall(value)
    for part in _parts(value):
        yield from _read(part)


def _works(value: Json) -> Iterator[JsonObject]:
    if isinstance(value, dict) and "id" in value and isinstance(value.get("record"), dict):
        yield value["record"]
    for part in _parts(value):
        yield from _works(part)


def _parts(value: Json) -> Iterator[Json]:
    if isinstance(value, dict | list):
        yield from value.values() if isinstance(value, dict) else value
