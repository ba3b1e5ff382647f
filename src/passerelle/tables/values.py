"""Checking the values of a record: everything that is wrong is said at once, by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from uuid import UUID

from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.fields import FIELD_INVALID, FIELD_REQUIRED, FIELD_UNKNOWN, pointer
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.storable import unstorable
from passerelle.tables.keys import LONGEST_TEXT
from passerelle.tables.models import Field, Table
from passerelle.tables.types import type_of

GIVEN_BY_SERVER = frozenset({"id", "version", "createdAt", "updatedAt"})
"""What records carry besides their fields, and no caller sets."""
RESERVED = GIVEN_BY_SERVER | {"included", "deletedAt", "mergedInto", "attachments", "comments", "history"}
"""Names that no field may have."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Values by the keys of their fields, as they are stored; and everything that is wrong."""

    values: dict[str, Json]
    problems: tuple[Problem, ...]

    def require(self) -> dict[str, Json]:
        """The values. Raises one error with every problem."""
        if self.problems:
            raise PasserelleError(400, self.problems)
        return self.values


def is_empty(value: Json) -> bool:
    """Whether a value counts as none: null, an empty text, an empty list."""
    return value is None or (isinstance(value, str | list) and not value)


def check_new(table: Table, given: Mapping[str, Json], record_id: UUID) -> Checked:
    """The values of a new record, or of one that is replaced: defaults filled in, nothing required missing.

    Problems: FIELD_UNKNOWN, FIELD_INVALID, FIELD_REQUIRED.
    """
    values, problems = _read(table, given)
    for field in table.fields:
        if field.key not in values and field.name not in given:
            if field.type == "idField":
                values[field.key] = str(record_id)
            elif field.default is not None:
                values[field.key] = field.default
    problems += [
        _required(field)
        for field in table.fields
        if field.required and field.key not in values and not _reported(problems, field)
    ]
    return Checked(values, tuple(problems))


def check_merged(table: Table, old: JsonObject, given: Mapping[str, Json]) -> Checked:
    """A record's values with those of `given` put in; null empties a field. Fields not given are not looked at."""
    values, problems = _read(table, given)
    problems += [
        _required(field)
        for field in table.fields
        if field.required and field.name in given and field.key not in values and not _reported(problems, field)
    ]
    kept = {
        key: value for key, value in old.items() if (known := table.by_key.get(key)) is None or known.name not in given
    }
    return Checked(kept | values, tuple(problems))


def read_value(field: Field, value: Json) -> Json:
    """One value as it is stored. Raises `ValueError` with what would be right."""
    stored = type_of(field).read(value, field)
    if (problem := unstorable(stored)) is not None:
        raise ValueError(problem)
    if (field.unique or field.indexed) and isinstance(stored, str) and len(stored) > LONGEST_TEXT:
        raise ValueError(
            f"must have at most {LONGEST_TEXT} characters, has {len(stored):,}: the field is unique or indexed"
        )
    return stored


def unknown_field(table: Table, name: str) -> str:
    """A sentence about a field that `table` does not have."""
    if name in GIVEN_BY_SERVER:
        return f"`{name}` is given by the server: leave it out"
    nearest = get_close_matches(name, table.by_name, n=1)
    if nearest:
        return f"the table {table.name} has no field `{name}`; did you mean `{nearest[0]}`?"
    names = ", ".join(f"`{known}`" for known in table.by_name)
    return f"the table {table.name} has no field `{name}`; its fields are {names}"


def _read(table: Table, given: Mapping[str, Json]) -> tuple[dict[str, Json], list[Problem]]:
    values: dict[str, Json] = {}
    problems: list[Problem] = []
    for name, value in given.items():
        field = table.by_name.get(name)
        if field is None:
            problems.append(FIELD_UNKNOWN.problem(unknown_field(table, name), pointer([name])))
        elif not is_empty(value):
            try:
                values[field.key] = read_value(field, value)
            except ValueError as error:
                problems.append(FIELD_INVALID.problem(f"`{name}` {error}", pointer([name])))
    # A text of blanks may turn out empty once it is read.
    return {key: value for key, value in values.items() if not is_empty(value)}, problems


def _required(field: Field) -> Problem:
    return FIELD_REQUIRED.problem(f"`{field.name}` is required", pointer([field.name]))


def _reported(problems: list[Problem], field: Field) -> bool:
    return any(problem.pointer == pointer([field.name]) for problem in problems)


def related_ids(table: Table, values: JsonObject) -> Iterator[tuple[Field, UUID]]:
    """Each relation field that has a value, with the record that it points to."""
    for field in table.fields:
        if field.type == "relation" and (found := values.get(field.key)) is not None:
            yield field, UUID(found)


def file_ids(table: Table, values: JsonObject, old: JsonObject) -> Iterator[tuple[Field, UUID]]:
    """Each id in a field of files that `old` has not in that field."""
    for field in table.attachments:
        before = old.get(field.key, ())
        yield from ((field, UUID(one)) for one in values.get(field.key, ()) if one not in before)
