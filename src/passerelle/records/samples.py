"""Values for examples that can be sent as they are: of the right type, with unique ones that nobody has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json
from passerelle.records.repository import RecordRepository, key_of
from passerelle.records.rows import cell_of_value
from passerelle.tables.models import Field, Table
from passerelle.tables.types import type_of
from passerelle.tables.values import read_value

TRIED: Final = 100
"""Values of a unique field that are tried where only few are possible: options, or records to point to."""
MOST_MADE_UP: Final = 40
"""Values that are made up for a unique field: each example of the table takes one."""
_DIGITS: Final = 10**7

Related = Mapping[UUID, Sequence[UUID]]
"""The newest records of the tables that relations point to."""


class Samples:
    """Values of one table's fields. No value of a unique field is given twice."""

    def __init__(self, table: Table, free: Mapping[str, list[Json]], related: Related) -> None:
        """`free`: by the key of each unique field, values that no record has."""
        self._table = table
        self._free = {key: list(values) for key, values in free.items()}
        self._related = related

    def value(self, field: Field) -> Json:
        """A value for the field; None where there is none, or where the server gives one."""
        if field.unique:
            return values.pop(0) if (values := self._free.get(field.key)) else None
        return next(_usual(field, self._related), None)

    def record(self, without: Field | None = None) -> dict[str, Json]:
        """A whole record's values by field name, but for the field `without`."""
        found = {field.name: self.value(field) for field in self._table.fields if field != without}
        return {name: value for name, value in found.items() if value is not None}

    def change(self) -> dict[str, Json]:
        """One field that is changed: a plain one if there is one."""
        for field in sorted(self._table.fields, key=lambda field: field.unique):
            value = self.value(field)
            if value is not None:
                return {field.name: value}
        return {}

    def address(self, field: Field) -> str | None:
        """A value of a unique field as it stands in an address; a record may have it."""
        value = type_of(field).example if field.type == "idField" else next(_usual(field, self._related), None)
        return None if value is None else cell_of_value(value)

    def missing(self) -> list[Field]:
        """Required fields that no value can be made up for."""
        return [
            field
            for field in self._table.fields
            if field.required and field.type != "idField" and field.default is None and not self._possible(field)
        ]

    def _possible(self, field: Field) -> bool:
        if field.unique:
            return bool(self._free.get(field.key))
        return next(_usual(field, self._related), None) is not None


async def samples(
    connection: Connection, repository: RecordRepository, table: Table, related: Related, new_id: NewId
) -> Samples:
    """Samples for the table as it is now."""
    unique = [field for field in table.unique if field.type != "idField"]
    count = min(len(table.unique) + 8, MOST_MADE_UP)
    possible = {field.key: list(_distinct(field, related, new_id, count)) for field in unique}
    keys = {
        (field.key, index): (field.id, key_of(field, {field.key: read_value(field, value)}))
        for field in unique
        for index, value in enumerate(possible[field.key])
    }
    holders = await repository.holders(connection, table.workspace_id, list(keys.values()))
    free = {
        key: [value for index, value in enumerate(values) if keys[key, index] not in holders]
        for key, values in possible.items()
    }
    return Samples(table, free, related)


def _usual(field: Field, related: Related) -> Iterator[Json]:
    if field.type == "relation":
        yield from (str(one) for one in related.get(field.table_id or UUID(int=0), ()))
    elif field.type not in ("attachment", "idField"):
        # Files belong to records that are there; ids are given by the server.
        if field.default is not None:
            yield field.default
        elif field.options:
            value = field.options[0].value
            yield [value] if field.type == "multiselect" else value
        else:
            yield type_of(field).example


def _distinct(field: Field, related: Related, new_id: NewId, count: int) -> Iterator[Json]:
    if field.type == "relation":
        yield from (str(one) for one in list(related.get(field.table_id or UUID(int=0), ()))[:TRIED])
    elif field.type == "checkbox":
        yield from (True, False)
    elif field.options:
        yield from (option.value for option in field.options[:TRIED])
    else:
        for _ in range(count):
            yield _made_up(field, int(new_id().hex[-10:], 16))


def _made_up(field: Field, number: int) -> Json:
    """A value of the type that is told apart by `number`."""
    usual, digits = type_of(field).example, f"{number % _DIGITS:07}"
    made: dict[str, Json] = {
        "number": number % _DIGITS + 0.5,
        "integer": number % _DIGITS,
        "date": date.fromordinal(700_000 + number % 300_000).isoformat(),
        "datetime": f"{date.fromordinal(700_000 + number % 300_000)}T{number % 24:02}:{number // 24 % 60:02}:00Z",
        "email": f"anna.{digits}@example.com",
        "phone": f"+4822{digits}",
    }
    return made.get(field.type, f"{usual}-{digits}")
