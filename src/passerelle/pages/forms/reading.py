"""From a JSON Schema to fields: which control asks for which type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from passerelle.kit.json import Json, JsonObject, dumps
from passerelle.pages.forms.model import Control, Field, Option, step_into

MOST_RADIOS: Final = 5
"""More options than these are a list to select from."""
LONG_TEXT: Final = 160
"""A text that may be longer than this gets several lines."""
DEEPEST: Final = 8
"""A schema that refers to itself is asked for down to this depth."""

_BY_FORMAT: Final = {
    "email": Control.EMAIL,
    "idn-email": Control.EMAIL,
    "uri": Control.URI,
    "iri": Control.URI,
    "phone": Control.PHONE,
    "date": Control.DATE,
    "date-time": Control.DATE_TIME,
    "time": Control.TIME,
    "textarea": Control.AREA,
    "multiline": Control.AREA,
}
_BY_TYPE: Final = {"number": Control.NUMBER, "integer": Control.INTEGER}


def read_form(schema: JsonObject) -> Field:
    """A form's schema, as its definition has it, as one group of fields."""
    return _read(schema, "", "", False, _Definitions(schema), 0)


class _Definitions:
    """Follows `$ref`s inside one schema."""

    def __init__(self, schema: JsonObject) -> None:
        self._schema = schema

    def resolve(self, schema: Json) -> JsonObject:
        """The schema itself, with what its `$ref` leads to beneath its own keywords."""
        for _ in range(DEEPEST):
            reference = schema.get("$ref") if isinstance(schema, Mapping) else None
            if not isinstance(reference, str):
                break
            own = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**self._find(reference), **own}
        return schema if isinstance(schema, Mapping) else {}

    def _find(self, reference: str) -> JsonObject:
        found: Any = self._schema
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}


def _read(schema: Json, name: str, place: str, required: bool, refs: _Definitions, depth: int) -> Field:
    schema = refs.resolve(schema)
    options = _options(schema)
    inner: dict[str, Any] = {}
    kind = _type(schema)
    if "const" in schema and schema["const"] is not True:
        control = Control.CONST
    elif options:
        control = Control.RADIOS if len(options) <= MOST_RADIOS else Control.SELECT
    elif kind == "boolean":
        control = Control.YES_NO if required and "const" not in schema else Control.CHECK
    elif kind == "object":
        control = Control.PHONE_PARTS if _is_phone(schema) else Control.GROUP
        if control is Control.GROUP and depth < DEEPEST:
            inner["fields"] = _properties(schema, place, refs, depth)
    elif kind == "array":
        control, inner = _list(schema, place, refs, depth)
    else:
        control = _BY_TYPE.get(kind) or _text(schema)
    return Field(name, place, control, schema, required, inner.pop("options", options), **inner)


def _properties(schema: JsonObject, place: str, refs: _Definitions, depth: int) -> tuple[Field, ...]:
    needed = schema.get("required", ())
    return tuple(
        _read(inner, name, step_into(place, name), name in needed, refs, depth + 1)
        for name, inner in schema.get("properties", {}).items()
    )


def _list(schema: JsonObject, place: str, refs: _Definitions, depth: int) -> tuple[Control, dict[str, Any]]:
    items = refs.resolve(schema.get("items", {}))
    if options := _options(items):
        return Control.CHECKS, {"options": options}
    if depth >= DEEPEST:
        return Control.REPEAT, {}
    return Control.REPEAT, {"item": _read(items, "", step_into(place, "*"), False, refs, depth + 1)}


def _type(schema: JsonObject) -> str:
    """The one type that a person would enter; `null` is what an empty field is."""
    named = schema.get("type")
    if isinstance(named, list):
        named = next((one for one in named if one != "null"), None)
    if named is None:
        named = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(named)


def _text(schema: JsonObject) -> Control:
    if (control := _BY_FORMAT.get(str(schema.get("format")))) is not None:
        return control
    return Control.AREA if int(schema.get("maxLength", 0)) > LONG_TEXT else Control.TEXT


def _is_phone(schema: JsonObject) -> bool:
    return set(schema.get("properties", ())) == {"countryCode", "number"}


def _options(schema: JsonObject) -> tuple[Option, ...]:
    """What may be chosen: `enum`, or `oneOf` / `anyOf` with a `const` and a `title` each."""
    if isinstance(listed := schema.get("enum"), list):
        return tuple(_option(value, str(value)) for value in listed if value is not None)
    for keyword in ("oneOf", "anyOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list) and branches and all(isinstance(one, Mapping) and "const" in one for one in branches):
            return tuple(_option(one["const"], one.get("title", str(one["const"]))) for one in branches)
    return ()


def _option(value: Json, label: Any) -> Option:
    plain = isinstance(value, str) and value and not value.startswith("=")
    return Option(value if plain else f"={dumps(value)}", value, label)
