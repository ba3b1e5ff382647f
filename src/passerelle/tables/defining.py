"""From what a caller says about fields to the fields of a table. Pure: nothing here reads the database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from passerelle.definitions.words import suggest
from passerelle.kit.errors import Code, PasserelleError, Problem
from passerelle.kit.http.fields import FIELD_INVALID, pointer
from passerelle.kit.ids import NewId, parse_id
from passerelle.kit.json import Json
from passerelle.tables.errors import (
    FIELD_DUPLICATE,
    FIELD_NAME_INVALID,
    FIELD_SETTING_INVALID,
    FIELD_TABLE_UNKNOWN,
    TABLE_TYPE_CHANGE,
)
from passerelle.tables.models import Field, Option
from passerelle.tables.schemas import FieldBody, options_of
from passerelle.tables.types import TYPES, WIDER
from passerelle.tables.values import RESERVED, is_empty, read_value

_FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_TABLE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Losses:
    """What a change of fields takes away, if records have it."""

    dropped: tuple[Field, ...] = ()
    options: tuple[tuple[Field, str], ...] = ()
    """Fields with an option that goes."""


@dataclass(frozen=True, slots=True)
class Defined:
    """The fields that a table is to have, dropped ones included, and what that loses."""

    fields: tuple[Field, ...]
    losses: Losses


def check_table_name(name: str) -> None:
    """Raises FIELD_NAME_INVALID."""
    if not _TABLE_NAME.fullmatch(name) or parse_id(name) is not None:
        raise FIELD_NAME_INVALID.error(
            f"`{name[:80]}` cannot name a table: use up to 63 letters, digits, `_` and `-`, and begin with a letter",
            "/name",
        )


class Defining:
    """One definition or change of a table's fields."""

    def __init__(self, old: Sequence[Field], tables: Mapping[str, UUID], new_id: NewId, *, new_table: bool) -> None:
        """Nothing is read or written.

        tables     every table that relations may name, by name and by id
        new_table  no record can be there, so that nothing has to be indexed
        """
        self._old = {field.name: field for field in old if not field.dropped}
        self._dropped = [field for field in old if field.dropped]
        self._next_key = 1 + max((int(field.key) for field in old), default=0)
        self._tables = tables
        self._new_id = new_id
        self._new_table = new_table
        self._problems: list[Problem] = []

    def fields(self, bodies: Sequence[FieldBody]) -> Defined:
        """Raises one error with everything that is wrong."""
        made = [self._field(index, body) for index, body in enumerate(bodies)]
        self._refuse_duplicates(bodies)
        if self._problems:
            raise PasserelleError(min(_status(problem) for problem in self._problems), self._problems)
        kept = {field.key for field in made}
        dropped = [field for field in self._old.values() if field.key not in kept]
        losses = Losses(tuple(dropped), tuple(self._lost_options(made)))
        gone = [replace(field, dropped=True, index="ready", index_problem=None) for field in dropped]
        return Defined((*made, *self._dropped, *gone), losses)

    def _field(self, index: int, body: FieldBody) -> Field:
        place = ("fields", index)
        old = self._old.get(body.renamed_from or body.name)
        if body.renamed_from is not None and old is None:
            self._note(FIELD_INVALID, f"there is no field `{body.renamed_from}` to rename", *place, "renamedFrom")
        self._check_name(body.name, place)
        if body.type not in TYPES:
            hint = suggest(body.type[:80], TYPES, "choose one of")
            self._note(FIELD_SETTING_INVALID, f"there is no type `{body.type[:80]}`: {hint}", *place, "type")
            return Field("0", self._new_id(), body.name, "text")
        if old is not None and old.type != body.type and (old.type, body.type) not in WIDER:
            self._note(
                TABLE_TYPE_CHANGE,
                f"`{body.name}` is of type {old.type}, whose values are not of type {body.type}: "
                "add a field of another name, or drop this one first",
                *place,
                "type",
            )
        field = Field(
            key=old.key if old is not None else self._take_key(),
            id=old.id if old is not None else self._new_id(),
            name=body.name,
            type=body.type,
            title=body.title,
            required=body.required,
            unique=body.unique or body.type == "idField",
            indexed=body.indexed,
            options=options_of(body),
            table_id=self._related(body, place),
            pii=body.pii,
            case_sensitive=body.case_sensitive,
        )
        if old is not None and old.case_sensitive and not field.case_sensitive and old.type == field.type:
            self._note(
                TABLE_TYPE_CHANGE,
                f"`{body.name}` may have addresses that differ in case only: add a field of another name",
                *place,
                "caseSensitive",
            )
        self._check_settings(field, place)
        return self._with_index(replace(field, default=self._default(field, body.default, place)), old)

    def _with_index(self, field: Field, old: Field | None) -> Field:
        """An index that is new for records that are there has to be filled first, under an id of its own."""
        before = (old.unique, old.indexed) if old is not None else (False, False)
        if old is not None and (field.unique, field.indexed) == before and old.index != "failed":
            return replace(field, index=old.index, index_problem=old.index_problem)
        if self._new_table or not (field.unique or field.indexed):
            return field
        return replace(field, id=self._new_id(), index="building")

    def _take_key(self) -> str:
        self._next_key += 1
        return str(self._next_key - 1)

    def _check_name(self, name: str, place: tuple[str, int]) -> None:
        if not _FIELD_NAME.fullmatch(name):
            reason = "use up to 63 letters, digits and `_`, and begin with a letter"
        elif name in RESERVED:
            reason = "records have something else of that name"
        else:
            return
        self._note(FIELD_NAME_INVALID, f"`{name[:80]}` cannot name a field: {reason}", *place, "name")

    def _check_settings(self, field: Field, place: tuple[str, int]) -> None:
        type_ = TYPES[field.type]
        if type_.choices and not field.options:
            self._note(FIELD_SETTING_INVALID, f"`{field.name}` needs `options`, its choices", *place, "options")
        if field.options and not type_.choices:
            self._note(FIELD_SETTING_INVALID, f"a field of type {field.type} has no `options`", *place, "options")
        if len({option.value for option in field.options}) < len(field.options):
            self._note(FIELD_SETTING_INVALID, "an option is there twice", *place, "options")
        for setting in ("unique", "indexed"):
            if getattr(field, setting) and not type_.indexable:
                self._note(FIELD_SETTING_INVALID, f"a field of type {field.type} cannot be {setting}", *place, setting)

        if field.case_sensitive and field.type != "email":
            message = f"a field of type {field.type} has no `caseSensitive`"
            self._note(FIELD_SETTING_INVALID, message, *place, "caseSensitive")

    def _related(self, body: FieldBody, place: tuple[str, int]) -> UUID | None:
        if body.type != "relation":
            if body.table is not None:
                self._note(FIELD_SETTING_INVALID, f"a field of type {body.type} has no `table`", *place, "table")
            return None
        if body.table is None:
            self._note(FIELD_SETTING_INVALID, f"`{body.name}` needs `table`, the other table", *place, "table")
            return None
        found = self._tables.get(body.table)
        if found is None:
            names = [name for name in self._tables if parse_id(name) is None]
            hint = suggest(body.table[:80], sorted(names), "it has")
            self._note(FIELD_TABLE_UNKNOWN, f"this workspace has no table `{body.table[:80]}`; {hint}", *place, "table")
        return found

    def _default(self, field: Field, value: Json, place: tuple[str, int]) -> Json:
        if is_empty(value):
            return None
        if field.type in ("relation", "attachment") or field.unique:
            self._note(FIELD_SETTING_INVALID, f"`{field.name}` cannot have a default", *place, "default")
            return None
        try:
            return read_value(field, value)
        except ValueError as error:
            self._note(FIELD_SETTING_INVALID, f"the default of `{field.name}` {error}", *place, "default")
            return None

    def _refuse_duplicates(self, bodies: Sequence[FieldBody]) -> None:
        seen: set[str] = set()
        sources: set[str] = set()
        for index, body in enumerate(bodies):
            source = body.renamed_from or body.name
            if body.name in seen:
                self._note(FIELD_DUPLICATE, f"there are two fields `{body.name}`", "fields", index, "name")
            elif source in sources and source in self._old:
                self._note(
                    FIELD_DUPLICATE, f"two fields come from `{source}`: give the new one another name",
                    "fields", index, "name",
                )  # fmt: skip
            seen.add(body.name)
            sources.add(source)

    def _lost_options(self, made: Sequence[Field]) -> list[tuple[Field, str]]:
        old = {field.key: field for field in self._old.values()}
        return [
            (field, option.value)
            for field in made
            if field.key in old and TYPES[field.type].choices
            for option in old[field.key].options
            if option.value not in _values(field.options)
        ]

    def _note(self, code: Code, message: str, *place: str | int) -> None:
        self._problems.append(code.problem(message, pointer(place)))


def _values(options: Sequence[Option]) -> set[str]:
    return {option.value for option in options}


def _status(problem: Problem) -> int:
    return TABLE_TYPE_CHANGE.status if problem.code == TABLE_TYPE_CHANGE.name else 400
