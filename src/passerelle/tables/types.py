"""What each type of field takes, how it is kept, and how it compares.

`read` gives the value as it is stored, or raises `ValueError` with what would be right. Numbers and texts are
told apart strictly: a form that sends `"3"` for a number is told so, and nothing is guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from passerelle.kit.ids import parse_id
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.phones import stored as stored_phone
from passerelle.kit.text import composed, visible
from passerelle.tables.keys import flag_key, number_key, text_key
from passerelle.tables.models import Field

LONGEST_TEXT: Final = 100_000
"""Characters of a text."""
MOST_ITEMS: Final = 1_000
"""Items of an array, choices of a multiselect, files of an attachment field."""

Kind = Literal["text", "number", "flag", "list", "json"]
"""How values compare: texts and numbers have an order, flags only two values; lists are searched for an item."""


@dataclass(frozen=True, slots=True)
class FieldType:
    """One type. `schema` describes a value for OpenAPI; `example` can be sent as it is."""

    name: str
    kind: Kind
    read: Callable[[Json, Field], Json]
    schema: JsonObject
    example: Json
    searched: bool = False
    """Whether full-text search looks into it."""
    choices: bool = False
    """Whether it needs `options`."""

    @property
    def indexable(self) -> bool:
        """Whether it can be `indexed` or `unique`."""
        return self.kind in ("text", "number", "flag")

    @property
    def ordered(self) -> bool:
        """Whether `gt`, `lte` and the like mean something."""
        return self.kind in ("text", "number")

    def key(self, value: Json) -> bytes:
        """The sort key of a stored value that is not empty."""
        return _KEYS[self.kind](value)


_KEYS: Final[dict[str, Callable[[Any], bytes]]] = {"text": text_key, "number": number_key, "flag": flag_key}


def _text(value: Json, field: Field) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"must have at most {LONGEST_TEXT:,} characters, has {len(value):,}")
    # What tells records apart must not differ in what nobody sees.
    return visible(value) if field.unique else composed(value)


def _short_text(value: Json, field: Field) -> str:
    if len(text := visible(_text(value, field))) > 320:
        raise ValueError(f"must have at most 320 characters, has {len(text):,}")
    return text


def _number(value: Json, field: Field) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _integer(value: Json, field: Field) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    if not -(2**63) <= value < 2**63:
        raise ValueError("must fit into 64 bits")
    return value


def _date(value: Json, field: Field) -> str:
    text = visible(value) if isinstance(value, str) else ""
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else _no_date()
    except ValueError:
        return _no_date()


def _no_date() -> str:
    raise ValueError("must be a date, such as 2026-01-05")


def _datetime(value: Json, field: Field) -> str:
    try:
        text = visible(value) if isinstance(value, str) else ""
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or len(text) < 17:
            raise ValueError
        # Six digits always, so that the texts sort as the times do.
        return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise ValueError("must be a time with its zone, such as 2026-01-05T09:00:00Z") from None


def _checkbox(value: Json, field: Field) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _json(value: Json, field: Field) -> Json:
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise ValueError("must be a list")
    if len(value) > MOST_ITEMS:
        raise ValueError(f"must have at most {MOST_ITEMS:,} items, has {len(value):,}")
    return value


def _array(value: Json, field: Field) -> list[Json]:
    return _list(value)


def _single(value: Json, field: Field) -> str:
    allowed = [option.value for option in field.options]
    if not isinstance(value, str):
        raise ValueError(f"must be one of {_choices(allowed)}")
    if value in allowed:
        return value
    if (plain := visible(value)) in allowed:
        return plain
    raise ValueError(f"must be one of {_choices(allowed)}, is `{value[:100]}`")


def _several(value: Json, field: Field) -> list[Json]:
    chosen = [_single(item, field) for item in _list(value)]
    if len(set(chosen)) < len(chosen):
        raise ValueError("must name each option once")
    return [option.value for option in field.options if option.value in chosen]


def _choices(values: Sequence[str]) -> str:
    shown = ", ".join(f"`{value}`" for value in values[:20])
    return shown if len(values) <= 20 else f"{shown} and {len(values) - 20} more (GET /tables lists them)"


def _email(value: Json, field: Field) -> str:
    try:
        found = validate_email(visible(_text(value, field)), check_deliverability=False)
        # Of note, no provider tells mailboxes apart by case, and phones write the first letter large (RFC 5321, 2.4).
        return found.normalized if field.case_sensitive else composed(found.normalized.lower())
    except EmailNotValidError as error:
        raise ValueError(f"must be an e-mail address: {str(error).rstrip('.')}") from None


def _phone(value: Json, field: Field) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text: a phone number with its country code, such as +48221234567")
    number = stored_phone(_text(value, field))
    if number is None:
        raise ValueError("must be a phone number with its country code, such as +48221234567, as its country has them")
    return number


def _relation(value: Json, field: Field) -> str:
    found = parse_id(visible(value)) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be the id of a record (a UUID)")
    return str(found)


def _attachments(value: Json, field: Field) -> list[Json]:
    found = [parse_id(visible(item)) if isinstance(item, str) else None for item in _list(value)]
    if None in found:
        raise ValueError("must be a list of ids of files (UUIDs)")
    return [str(item) for item in found]


_SOME_ID: Final = str(UUID("0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"))
_STRING: Final = {"type": "string"}

TYPES: Final = {
    type_.name: type_
    for type_ in (
        FieldType("text", "text", _text, _STRING | {"maxLength": LONGEST_TEXT}, "Acme", searched=True),
        FieldType("number", "number", _number, {"type": "number"}, 12.5),
        FieldType("integer", "number", _integer, {"type": "integer"}, 12),
        FieldType("date", "text", _date, _STRING | {"format": "date"}, "2026-01-05"),
        FieldType("datetime", "text", _datetime, _STRING | {"format": "date-time"}, "2026-01-05T09:00:00Z"),
        FieldType("checkbox", "flag", _checkbox, {"type": "boolean"}, True),
        FieldType("json", "json", _json, {}, {"source": "web"}),
        FieldType("array", "list", _array, {"type": "array", "maxItems": MOST_ITEMS}, ["a", "b"]),
        FieldType("singleSelect", "text", _single, _STRING, None, searched=True, choices=True),
        FieldType("multiselect", "list", _several, {"type": "array", "items": _STRING}, None, choices=True),
        FieldType("assignee", "text", _short_text, _STRING | {"maxLength": 320}, "anna@example.com", searched=True),
        FieldType("idField", "text", _short_text, _STRING | {"maxLength": 320}, "C-1001", searched=True),
        FieldType("email", "text", _email, _STRING | {"format": "email"}, "anna@example.com", searched=True),
        FieldType(
            "phone", "text", _phone, _STRING | {"pattern": r"^\+[0-9]+(;ext=[0-9]+)?$"}, "+48221234567", searched=True
        ),
        FieldType("relation", "text", _relation, _STRING | {"format": "uuid"}, _SOME_ID),
        FieldType(
            "attachment", "list", _attachments, {"type": "array", "items": _STRING | {"format": "uuid"}}, [_SOME_ID]
        ),
    )
}
"""Every type by its name (contract, section 8)."""


def type_of(field: Field) -> FieldType:
    """The field's type."""
    return TYPES[field.type]


def value_schema(type_: str, options: Sequence[str]) -> JsonObject:
    """What is known of a field's values: a JSON Schema. `options`: the choices of a select field."""
    schema = dict(TYPES[type_].schema)
    if type_ == "singleSelect":
        return {**schema, "enum": list(options)}
    return {**schema, "items": {"enum": list(options)}} if type_ == "multiselect" else schema


WIDER: Final = {("integer", "number")} | {
    (name, "text") for name in ("singleSelect", "assignee", "idField", "email", "phone", "relation", "date", "datetime")
}
"""Changes of a type after which every value is still right."""
