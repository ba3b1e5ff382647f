"""Bodies and answers of the table endpoints."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field as Described
from pydantic import model_validator

from passerelle.definitions.parts import PII
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.json import Json
from passerelle.tables.models import Field, Option, Table
from passerelle.tables.types import TYPES


class OptionBody(Body):
    """One choice of a select field."""

    value: str = Described(min_length=1, max_length=200)
    title: str | dict[str, str] | None = None


class FieldBody(Body):
    """A field of a table."""

    name: str = Described(description="Letters, digits and `_`; begins with a letter", examples=["companyName"])
    type: str = Described(description=f"One of {', '.join(TYPES)}", examples=["text"])
    title: str | dict[str, str] | None = Described(default=None, description="For people; by language, if you like")
    required: bool = Described(default=False, description="Whether every record must have a value")
    unique: bool = Described(default=False, description="Whether no two records may have the same value")
    indexed: bool = Described(default=False, description="Whether lists filtered or sorted by it are fast")
    default: Any = Described(default=None, description="The value of new records that name none")
    options: list[str | OptionBody] | None = Described(default=None, description="The choices of a select field")
    table: str | None = Described(default=None, description="For a relation: the other table's name or id")
    pii: str | None = Described(default=None, pattern=PII, description="A class of personal data, such as `contact`")
    renamed_from: str | None = Described(default=None, description="In a change: the name that the field had so far")

    @model_validator(mode="before")
    @classmethod
    def _as_answered(cls, given: Any) -> Any:
        """Fields can be sent back as an answer gave them: what only the server says is not read."""
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if name not in ("index", "indexProblem")}


class TableBody(Body):
    """A new table."""

    name: str = Described(description="Letters, digits, `_` and `-`; begins with a letter", examples=["customers"])
    title: str | dict[str, str] | None = None
    fields: list[FieldBody] = Described(max_length=300)


class TableChangeBody(Body):
    """What changes. `fields` is the whole list: a field that it lacks is dropped."""

    name: str | None = None
    title: str | dict[str, str] | None = None
    fields: list[FieldBody] | None = Described(default=None, max_length=300)


class OptionAnswer(Answer):
    """One choice of a select field."""

    value: str
    title: str | dict[str, str] | None


class FieldAnswer(Answer):
    """A field of a table."""

    name: str
    type: str
    title: Any
    required: bool
    unique: bool
    indexed: bool
    default: Any
    options: list[OptionAnswer] | None
    table: str | None
    pii: str | None
    index: str | None = Described(
        description="`building` while an index of it is being filled, `failed` with the reason in `indexProblem`"
    )
    index_problem: str | None


class TableAnswer(Answer):
    """A table with its fields."""

    id: UUID
    name: str
    title: Any
    fields: list[FieldAnswer]
    built_in: bool
    version: int
    created_at: Moment
    updated_at: Moment


def table_answer(table: Table, names: dict[UUID, str]) -> TableAnswer:
    """A table as the API shows it. `names`: the names of the workspace's tables, which relations are shown by."""
    return TableAnswer(
        id=table.id,
        name=table.name,
        title=table.title,
        fields=[_field(field, names) for field in table.fields],
        built_in=table.built_in,
        version=table.version,
        created_at=table.created_at,
        updated_at=table.updated_at,
    )


def _field(field: Field, names: dict[UUID, str]) -> FieldAnswer:
    keyed = field.unique or field.indexed
    return FieldAnswer(
        name=field.name,
        type=field.type,
        title=field.title,
        required=field.required,
        unique=field.unique,
        indexed=field.indexed,
        default=field.default,
        options=[_option(option) for option in field.options] if TYPES[field.type].choices else None,
        table=names.get(field.table_id, str(field.table_id)) if field.table_id is not None else None,
        pii=field.pii,
        index=field.index if keyed else None,
        index_problem=field.index_problem,
    )


def _option(option: Option) -> OptionAnswer:
    return OptionAnswer(value=option.value, title=option.title)


def options_of(body: FieldBody) -> tuple[Option, ...]:
    """The choices that a body names, in its order."""
    return tuple(
        Option(option) if isinstance(option, str) else Option(option.value, option.title)
        for option in body.options or ()
    )


def same_json(one: Json, other: Json) -> bool:
    """Whether two JSON values are the same; `true` is not 1 here."""
    return type(one) is type(other) and bool(one == other)
