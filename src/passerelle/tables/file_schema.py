"""The published JSON Schema of a table's file: what editors complete, and what the reader checks first."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from passerelle.definitions.json_schema import SchemaCheck
from passerelle.definitions.parts import PARTS, part
from passerelle.kit.json import JsonObject
from passerelle.tables.types import TYPES

SCHEMA_ID: Final = "urn:passerelle:schema:table"
MOST_FIELDS: Final = 300

_OPTION: Final[JsonObject] = {
    "description": "One choice: its value, or value and title.",
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": 200},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["value"],
            "properties": {
                "value": {"type": "string", "minLength": 1, "maxLength": 200, "description": "What records hold."},
                "title": part("text", "What people are shown."),
            },
        },
    ],
}

_FIELD: Final[JsonObject] = {
    "type": "object",
    "description": "A field of every record.",
    "additionalProperties": False,
    "required": ["name", "type"],
    "properties": {
        "name": {
            "type": "string",
            "pattern": "^[A-Za-z][A-Za-z0-9_]{0,62}$",
            "errorMessage": "must have 1 to 63 letters, digits and `_`, and begin with a letter",
            "description": "The field's name in the API and in expressions: `record.<name>`.",
        },
        "type": {"enum": list(TYPES), "description": "What its values are."},
        "title": part("text", "What people are shown as its name."),
        "required": {"type": "boolean", "default": False, "description": "Whether every record must have a value."},
        "unique": {
            "type": "boolean",
            "default": False,
            "description": "Whether no two records may have the same value.",
        },
        "indexed": {
            "type": "boolean",
            "default": False,
            "description": "Whether lists that are filtered or sorted by it are fast.",
        },
        "default": {"description": "The value of new records that name none; of the field's type."},
        "options": {"type": "array", "items": _OPTION, "description": "The choices of a select field."},
        "table": {"type": "string", "minLength": 1, "description": "Of a relation: the other table's name."},
        "pii": part("pii"),
        "caseSensitive": {
            "type": "boolean",
            "default": False,
            "description": "Of an e-mail: whether `Anna@` and `anna@` are two mailboxes; they are one without.",
        },
        "renamedFrom": {
            "type": "string",
            "minLength": 1,
            "description": "The name that the field had so far: records keep its values. It may stay once it is done.",
        },
    },
    "examples": [{"name": "status", "type": "singleSelect", "options": ["new", "approved"], "default": "new"}],
}


def table_schema() -> dict[str, Any]:
    """The JSON Schema 2020-12 of a table's file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Passerelle table",
        "description": "A table of records: its name and its fields.",
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "fields"],
        "properties": {
            "$schema": {"type": "string", "description": "For editors: where this schema is."},
            "name": {
                "type": "string",
                "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,62}$",
                "errorMessage": "must have 1 to 63 letters, digits, `_` and `-`, and begin with a letter",
                "description": "Unique in the workspace; a push changes the table of this name, or makes it.",
            },
            "title": part("text", "What people are shown as the table's name."),
            "fields": {
                "type": "array",
                "description": "All fields, in order. A push removes a field that is not here.",
                "maxItems": MOST_FIELDS,
                "items": _FIELD,
            },
        },
        "$defs": {name: PARTS[name] for name in ("text", "pii")},
    }


@cache
def structure() -> SchemaCheck:
    """The check of a file's structure."""
    return SchemaCheck(table_schema(), show_values=True)
