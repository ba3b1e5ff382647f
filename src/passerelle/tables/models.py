"""Tables and fields as the rest of the program knows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal
from uuid import UUID

from passerelle.definitions.model import Text
from passerelle.kit.json import Json, JsonObject

IndexState = Literal["building", "ready", "failed"]

SYSTEM_FIELDS: Final = ("createdAt", "updatedAt")
"""What every record has besides its fields, and lists can be filtered and sorted by."""

INDEX_JOB: Final = "table.index"
"""The queue's name for: fill the indexes of this table that are being built, and clear those that are gone."""
CLEAR_JOB: Final = "table.clear"
"""The queue's name for: delete what a deleted table leaves behind."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select field."""

    value: str
    title: Text | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a table.

    `key` is what its values are stored under: a rename touches no record, and a later field of the same name
    starts empty. `id` names its rows in the index tables; it changes when an index is made anew.
    """

    key: str
    id: UUID
    name: str
    type: str
    title: Text | None = None
    required: bool = False
    unique: bool = False
    indexed: bool = False
    default: Json = None
    options: tuple[Option, ...] = ()
    table_id: UUID | None = None
    pii: str | None = None
    case_sensitive: bool = False
    """Of an e-mail address: whether small and capital letters before the @ make two mailboxes."""
    dropped: bool = False
    index: IndexState = "ready"
    index_problem: str | None = None

    @property
    def keyed(self) -> bool:
        """Whether its values stand in `record_key`."""
        return self.indexed and not self.dropped

    @property
    def sortable_by_index(self) -> bool:
        """Whether every record of the table stands in the field's index."""
        return self.keyed and self.index == "ready"

    @property
    def findable_by_index(self) -> bool:
        """Whether every record with a value stands in an index."""
        return (self.keyed or self.unique) and self.index == "ready"

    def to_json(self) -> JsonObject:
        """As it is stored with its table: what differs from the defaults."""
        facts: dict[str, Any] = {"key": self.key, "id": str(self.id), "name": self.name, "type": self.type}
        for name in (
            "title",
            "required",
            "unique",
            "indexed",
            "default",
            "pii",
            "case_sensitive",
            "dropped",
            "index_problem",
        ):
            if value := getattr(self, name):
                facts[name] = value
        if self.default in (False, 0):
            facts["default"] = self.default
        if self.options:
            facts["options"] = [[option.value, option.title] for option in self.options]
        if self.table_id is not None:
            facts["table_id"] = str(self.table_id)
        if self.index != "ready":
            facts["index"] = self.index
        return facts

    @classmethod
    def from_json(cls, facts: JsonObject) -> Field:
        """What `to_json` gave."""
        known = dict(facts) | {"id": UUID(facts["id"])}
        if "options" in known:
            known["options"] = tuple(Option(value, title) for value, title in known["options"])
        if "table_id" in known:
            known["table_id"] = UUID(known["table_id"])
        return cls(**known)


@dataclass(frozen=True)
class Table:
    """A table of one workspace, in one version."""

    workspace_id: UUID
    id: UUID
    name: str
    title: Text | None
    all_fields: tuple[Field, ...]
    """With those that were dropped: records and their history may still hold values of them."""
    built_in: bool
    version: int
    created_at: datetime
    updated_at: datetime

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields that it has now."""
        return tuple(field for field in self.all_fields if not field.dropped)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Its fields by their names."""
        return {field.name: field for field in self.fields}

    @cached_property
    def by_key(self) -> dict[str, Field]:
        """Every field, dropped ones too, by what its values are stored under."""
        return {field.key: field for field in self.all_fields}

    @cached_property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Key and name of each field."""
        return tuple((field.key, field.name) for field in self.fields)

    @cached_property
    def keyed(self) -> tuple[Field, ...]:
        """The fields whose values stand in `record_key`."""
        return tuple(field for field in self.fields if field.keyed)

    @cached_property
    def unique(self) -> tuple[Field, ...]:
        """The fields whose values stand in `record_unique`."""
        return tuple(field for field in self.fields if field.unique)

    @cached_property
    def attachments(self) -> tuple[Field, ...]:
        """The fields that name files of the record."""
        return tuple(field for field in self.fields if field.type == "attachment")

    @property
    def building(self) -> tuple[Field, ...]:
        """The fields whose index is being filled."""
        return tuple(field for field in self.fields if field.index == "building")

    def named(self, values: JsonObject) -> dict[str, Json]:
        """A record's stored values by the names of the fields, in their order; empty ones as null."""
        return {name: values.get(key) for key, name in self.names}

    def with_fields(self, fields: tuple[Field, ...]) -> Table:
        """The same table with other fields."""
        return replace(self, all_fields=fields)
