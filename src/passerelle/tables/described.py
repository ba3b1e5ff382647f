"""Tables as JSON Schemas: what a record of one looks like, and what a new or changed one may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from passerelle.definitions.model import Text
from passerelle.tables.models import Field, Table
from passerelle.tables.types import type_of

Names = Mapping[UUID, str]
"""The names of the workspace's tables, which relations are described by."""


def new_schema(table: Table, names: Names) -> dict[str, Any]:
    """The values of a new record."""
    required = [
        field.name for field in table.fields if field.required and field.default is None and field.type != "idField"
    ]
    properties = {field.name: _given(field, names, empty=not field.required) for field in table.fields}
    return _object(f"A new record of {table.name}.", properties, required, closed=True)


def change_schema(table: Table, names: Names) -> dict[str, Any]:
    """The values that a change names; null empties a field."""
    properties = {field.name: _given(field, names, empty=not field.required) for field in table.fields}
    return _object(f"Values of a record of {table.name}.", properties, [], closed=True)


def record_schema(table: Table, names: Names) -> dict[str, Any]:
    """A record as it is answered. Any field may be empty: a record can be older than the rule that it is required."""
    time = {"type": "string", "format": "date-time"}
    properties: dict[str, Any] = {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer"},
        "createdAt": time,
        "updatedAt": time,
    }
    required = list(properties)
    properties |= {field.name: _given(field, names, empty=True) for field in table.fields}
    return _object(f"A record of {table.name}.", properties, required, closed=False)


def title_of(title: Text | None) -> str:
    """A title in English if there is one, else in the first language that there is."""
    if isinstance(title, dict):
        return str(title.get("en") or next(iter(title.values()), ""))
    return title if isinstance(title, str) else ""


def value_schema(field: Field) -> dict[str, Any]:
    """A value of the field."""
    schema: dict[str, Any] = dict(type_of(field).schema)
    choices = [option.value for option in field.options]
    if choices and field.type == "multiselect":
        schema |= {"items": {"type": "string", "enum": choices}, "uniqueItems": True, "examples": [choices[:1]]}
    elif choices:
        schema |= {"enum": choices}
    else:
        schema |= {"examples": [type_of(field).example]}
    return schema


def _given(field: Field, names: Names, *, empty: bool) -> dict[str, Any]:
    schema = value_schema(field)
    if empty and schema.get("type"):
        schema = {"anyOf": [schema, {"type": "null"}]}
    facts: dict[str, Any] = {"description": _description(field, names)}
    if field.default is not None:
        facts["default"] = field.default
    return schema | facts


def _description(field: Field, names: Names) -> str:
    parts = [f"{title_of(field.title)}." if title_of(field.title) else "", f"Type `{field.type}`."]
    if field.table_id is not None:
        parts.append(f"The id of a record of `{names.get(field.table_id, field.table_id)}`.")
    if titled := [option for option in field.options if title_of(option.title)]:
        parts.append("; ".join(f"`{option.value}`: {title_of(option.title)}" for option in titled) + ".")
    if field.unique:
        parts.append("Unique: no two records have the same.")
    if field.indexed:
        parts.append("Indexed: lists are filtered and sorted by it fast.")
    if field.type == "idField":
        parts.append("The record's own id if absent.")
    if field.case_sensitive:
        parts.append("Small and capital letters before the @ make two mailboxes.")
    if field.pii is not None:
        parts.append(f"Personal data of the class `{field.pii}`.")
    return " ".join(part for part in parts if part)


def _object(description: str, properties: dict[str, Any], required: list[str], *, closed: bool) -> dict[str, Any]:
    schema = {"type": "object", "description": description, "properties": properties, "required": required}
    return schema | ({"additionalProperties": False} if closed else {})
