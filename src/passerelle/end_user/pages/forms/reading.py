"""From a JSON Schema to fields: which control asks for which type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from passerelle.end_user.pages.forms.model import Control, FormField, FormOption, step_into
from passerelle.kit.countries import is_country
from passerelle.kit.json import Json, JsonObject, KnownJson, dumps

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


def read_form(schema: JsonObject) -> FormField:
    """A form's schema, as its definition has it, as one group of fields."""
    return _FormReader(schema).read(schema, _At("", "", ""), required=False)


@dataclass(frozen=True, slots=True)
class _At:
    """Where the reader is: the property's name, its place in the values, its place in the schema, and how deep."""

    name: str
    place: str
    source: str
    depth: int = 0


class _FormReader:
    def __init__(self, schema: JsonObject) -> None:
        self._root = schema

    def read(self, schema: Json, at: _At, *, required: bool) -> FormField:
        """One field and all below it."""
        schema, beneath = self._resolved(schema, at.source)
        options = _options(schema)
        kind = _type(schema)
        inner: dict[str, Any] = {}
        if "const" in schema and schema["const"] is not True:
            control = Control.CONST
        elif schema.get("format") == "country" or _names_countries(at.name, options):
            control = Control.COUNTRY
        elif options:
            control = Control.RADIOS if len(options) <= MOST_RADIOS else Control.SELECT
        elif kind == "boolean":
            control = Control.YES_NO if required and "const" not in schema else Control.CHECK
        elif kind == "object":
            control = Control.PHONE_PARTS if _is_phone(schema) else Control.GROUP
            inner = {"fields": self._fields(schema, at, beneath)} if control is Control.GROUP else {}
        elif kind == "array":
            control, inner = self._list(schema, at, beneath)
        else:
            control = _BY_TYPE.get(kind) or _text(schema)
        options = inner.pop("options", options)
        return FormField(at.name, at.place, at.source, control, schema, required, options, **inner)

    def _fields(self, schema: JsonObject, at: _At, beneath: str) -> tuple[FormField, ...]:
        if at.depth >= DEEPEST:
            return ()
        needed = schema.get("required", ())
        return tuple(
            self.read(
                inner,
                _At(name, step_into(at.place, name), step_into(f"{beneath}/properties", name), at.depth + 1),
                required=name in needed,
            )
            for name, inner in schema.get("properties", {}).items()
        )

    def _list(self, schema: JsonObject, at: _At, beneath: str) -> tuple[Control, dict[str, Any]]:
        items, source = schema.get("items", {}), f"{beneath}/items"
        if options := _options(self._resolved(items, source)[0]):
            return Control.CHECKS, {"options": options}
        if at.depth >= DEEPEST:
            return Control.REPEAT, {}
        item = self.read(items, _At("", step_into(at.place, "*"), source, at.depth + 1), required=False)
        return Control.REPEAT, {"item": item}

    def _resolved(self, schema: KnownJson, source: str) -> tuple[JsonObject, str]:
        """The schema with what its `$ref` leads to beneath its own keywords, and where its properties are found."""
        for _ in range(DEEPEST):
            reference = schema.get("$ref") if isinstance(schema, Mapping) else None
            if not isinstance(reference, str):
                break
            source = reference.removeprefix("#")
            schema = {**self._find(source), **{key: value for key, value in schema.items() if key != "$ref"}}
        return (schema if isinstance(schema, Mapping) else {}), source

    def _find(self, pointer: str) -> JsonObject:
        found: Any = self._root
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}


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


def _options(schema: JsonObject) -> tuple[FormOption, ...]:
    """What may be chosen: `enum`, or `oneOf` / `anyOf` with a `const` and a `title` each."""
    if isinstance(listed := schema.get("enum"), list):
        return tuple(_option(value, str(value)) for value in listed if value is not None)
    for keyword in ("oneOf", "anyOf"):
        branches = schema.get(keyword)
        if (
            isinstance(branches, list)
            and branches
            and all(isinstance(one, Mapping) and "const" in one for one in branches)
        ):
            return tuple(_option(one["const"], one.get("title", str(one["const"]))) for one in branches)
    return ()


def _names_countries(name: str, options: tuple[FormOption, ...]) -> bool:
    """Whether bare codes are to be chosen from: nobody should have to know them."""
    return (
        name.lower().endswith("country")
        and bool(options)
        and all(is_country(one.value) and one.label == one.value for one in options)
    )


def _option(value: Json, label: Any) -> FormOption:
    plain = isinstance(value, str) and value and not value.startswith("=")
    return FormOption(str(value) if plain else f"={dumps(value)}", value, label)
