"""Bodies and answers of the table endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import Field as Described
from pydantic import model_validator

from passerelle.definitions.parts import PII
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.tables.models import Field, Option, Table
from passerelle.tables.types import TYPES


class OptionBody(Body):
    """One choice of a select field."""

    value: str = Described(min_length=1, max_length=200)
    """What is stored."""
    title: str | dict[str, str] | None = None
    """What people call it."""


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
    case_sensitive: bool = Described(
        default=False, description="For an e-mail: whether `Anna@` and `anna@` are two mailboxes; they are one without"
    )
    renamed_from: str | None = Described(default=None, description="In a change: the name that the field had so far")

    @model_validator(mode="before")
    @classmethod
    def _as_answered(cls, given: Any) -> Any:
        """Fields can be sent back as an answer gave them: what only the server says is not read."""
        if not isinstance(given, dict):
            return given
        said = ("index", "indexProblem") + (("caseSensitive",) if given.get("caseSensitive") is None else ())
        return {name: value for name, value in given.items() if name not in said}


class TableBody(Body):
    """A new table."""

    name: str = Described(description="Letters, digits, `_` and `-`; begins with a letter", examples=["customers"])
    title: str | dict[str, str] | None = None
    """What people call it."""
    fields: list[FieldBody] = Described(max_length=300)
    """Its fields, in their order."""


class TableChangeBody(Body):
    """What changes. `fields` is the whole list: a field that it lacks is dropped."""

    name: str | None = None
    """Another name."""
    title: str | dict[str, str] | None = None
    """What people call it."""
    fields: list[FieldBody] | None = Described(default=None, max_length=300)
    """All fields that it is to have, in their order."""


class OptionAnswer(Answer):
    """One choice of a select field."""

    value: str
    """What is stored."""
    title: str | Mapping[str, str] | None
    """What people call it; null where it has no title."""


class FieldAnswer(Answer):
    """A field of a table."""

    name: str
    """The field's name."""
    type: str
    """The type of its values."""
    title: Any
    """What people call it; null where it has no title."""
    required: bool
    """Whether every record must have a value."""
    unique: bool
    """Whether no two records may have the same value."""
    indexed: bool
    """Whether it can be filtered and sorted by."""
    default: Any
    """The value of a new record that is given none."""
    options: list[OptionAnswer] | None
    """The values that it may have; null where any is allowed."""
    table: str | None
    """The table that a relation leads to; null for other types."""
    pii: str | None
    """The class of personal data that it holds; null for none."""
    case_sensitive: bool | None = Described(description="Of an e-mail; null of other types")
    index: str | None = Described(
        description="`building` while an index of it is being filled, `failed` with the reason in `indexProblem`"
    )
    index_problem: str | None
    """Why its index could not be made; null where there is one, or none is wanted."""


class TableAnswer(Answer):
    """A table with its fields."""

    id: UUID
    """The table's id."""
    name: str
    """Its name."""
    title: Any
    """What people call it; null where it has no title."""
    fields: list[FieldAnswer]
    """Its fields, in their order."""
    built_in: bool
    """Whether it came with the workspace and cannot be deleted."""
    version: int
    """Counts its changes, from 1; also its `ETag`."""
    created_at: Moment
    """When it was made."""
    updated_at: Moment
    """When it last changed."""


class DifferenceAnswer(Answer):
    """One thing that a change of a table does."""

    sign: str = Described(description="`+` makes, `-` removes, `~` changes, `!` cannot be done")
    text: str
    """What it does."""


class LossAnswer(Answer):
    """What records have, and would lose."""

    code: str
    """`TABLE_LOSES_DATA`."""
    message: str
    """What is lost."""


class TablePreview(Answer):
    """What a change of a table would do."""

    differences: list[DifferenceAnswer]
    """Everything that differs; empty where nothing does."""
    losses: list[LossAnswer]
    """What records would lose: without `loseData=true` the change is refused."""
    file: str
    """The table's file as it is then: `tables/NAME.yaml`."""


_SETTINGS: Final = (
    "name",
    "type",
    "title",
    "required",
    "unique",
    "indexed",
    "default",
    "table",
    "pii",
    "caseSensitive",
)


def body_of(facts: Mapping[str, Any]) -> TableBody:
    """A table as a file says it, from the JSON of an answer."""
    fields = [_written_field(field) for field in facts["fields"]]
    return TableBody.model_validate({"name": facts["name"], "title": facts["title"], "fields": fields})


def _written_field(facts: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: facts[name] for name in _SETTINGS if facts.get(name) is not None}
    if facts["type"] == "idField":
        kept.pop("unique")  # It goes without saying.
    if facts["options"]:
        kept["options"] = [option["value"] if option["title"] is None else option for option in facts["options"]]
    return kept


def table_answer(table: Table, names: dict[UUID, str]) -> TableAnswer:
    """A table as the API shows it. `names`: the names of the workspace's tables, which relations are shown by."""
    return TableAnswer.made_from(table, fields=[_field(field, names) for field in table.fields])


def _field(field: Field, names: dict[UUID, str]) -> FieldAnswer:
    keyed = field.unique or field.indexed
    return FieldAnswer.made_from(
        field,
        options=[_option(option) for option in field.options] if TYPES[field.type].choices else None,
        table=names.get(field.table_id, str(field.table_id)) if field.table_id is not None else None,
        case_sensitive=field.case_sensitive if field.type == "email" else None,
        index=field.index if keyed else None,
    )


def _option(option: Option) -> OptionAnswer:
    return OptionAnswer(value=option.value, title=option.title)


def options_of(body: FieldBody) -> tuple[Option, ...]:
    """The choices that a body names, in its order."""
    return tuple(
        Option(option) if isinstance(option, str) else Option(option.value, option.title)
        for option in body.options or ()
    )
