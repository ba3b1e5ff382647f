"""A form in JSON Schema, of any draft: its fields with titles and rules, and its conditions as `visibleWhen`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from jsonschema_rs import ValidationError

from passerelle.conversions.models import ConversionError, Sketch, Wish
from passerelle.conversions.names import as_text, as_title, definition_name, one_line
from passerelle.definitions.field_rules import KEYWORDS as OWN
from passerelle.definitions.form_schema import FORMATS
from passerelle.definitions.json_schema import build_validator
from passerelle.definitions.parts import IDENTIFIER
from passerelle.definitions.schema_keywords import KEYWORDS
from passerelle.definitions.schema_size import MANY, ONE
from passerelle.kit.json import Json, KnownJson, dumps

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MOST_FIELDS: Final = 300
TEXTS: Final = ("title", "description", "errorMessage")
RENAMED: Final[Mapping[str, str]] = {
    "datetime": "date-time",
    "datetime-local": "date-time",
    "phone-number": "phone",
    "tel": "phone",
    "telephone": "phone",
    "url": "uri",
    "text-area": "textarea",
    "country-code": "country",
    "vat-number": "vat",
}
"""Formats that others know by another name."""
_KNOWN: Final = frozenset({*KEYWORDS, *OWN, "visibleWhen", "pii"})
_INNER: Final = ("properties", "patternProperties", "dependentSchemas")


def convert(schema: KnownJson, wish: Wish, file_name: str) -> Sketch:
    """A definition with one form, and a page that thanks. Raises `ConversionError` for what asks for no fields."""
    if not isinstance(schema, dict):
        raise ConversionError("a JSON Schema of a form is an object with `properties`")
    title = schema.get("title")
    name = wish.name or definition_name(title if isinstance(title, str) and title else file_name)
    heading = title if isinstance(title, str) and title.strip() else name
    draft = Sketch({"name": name, "title": as_title(heading)})
    carrying = _Carrying(draft, schema)
    form = carrying.form()
    if len(form["properties"]) > MOST_FIELDS:
        raise ConversionError(f"the schema has {len(form['properties'])} fields; {MOST_FIELDS} are the most of a form")
    if isinstance(schema.get("description"), str) and schema["description"].strip():
        draft.document["start"] = {"text": as_title(schema["description"], 2_000)}
    draft.document["steps"] = [
        {"id": "answers", "form": {"title": as_text(heading), "schema": form}},
        {"id": "thanks", "message": {"title": "Thank you", "text": "We have got your answers."}},
    ]
    return draft


class _Carrying:
    def __init__(self, draft: Sketch, root: Mapping[str, Any]) -> None:
        self._draft = draft
        self._root = root
        self._special: Mapping[tuple[str, ...], Callable[[str, Json, str], Any]] = {
            TEXTS: self._text,
            ("format",): self._format,
            ("pattern",): self._pattern,
            ("$ref",): lambda _, value, here: str(value).replace("#/definitions/", "#/$defs/", 1),
            (*_INNER, "$defs"): self._named,
        }

    def form(self) -> dict[str, Any]:
        """The schema of the form. Conditions of its own level become conditions of fields."""
        root = self._led()
        if not isinstance(root.get("properties"), dict) or not root["properties"]:
            raise ConversionError("the schema has no `properties`, so a form would ask for nothing")
        if root.get("type", "object") not in ("object", ["object"]):
            raise ConversionError("the schema is not of `type: object`: a form asks for the fields of an object")
        carried = self.schema(root, "", top=True)
        carried = {key: value for key, value in carried.items() if key not in TEXTS}
        if not carried["properties"]:
            raise ConversionError("none of the schema's `properties` has a name, so a form would ask for nothing")
        self._conditions(root, carried)
        return {"type": "object", **{key: value for key, value in carried.items() if key != "type"}}

    def _led(self) -> dict[str, Any]:
        """The root, and beneath it what its `$ref` leads to and what its `allOf` adds without a condition."""
        root = dict(self._root)
        for _ in range(8):
            reference = root.pop("$ref", None)
            if not isinstance(reference, str):
                break
            found = self._found(reference)
            if found is None:
                self._draft.leave("$ref", f"`{one_line(reference)}` leads to nothing in the file")
                break
            root = {**found, **root}
        plain = [one for one in _listed(root.get("allOf")) if isinstance(one, dict) and not one.keys() & {"if", "$ref"}]
        for one in plain:
            for key in ("properties", "required"):
                if key in one:
                    root[key] = _joined(root.get(key), one[key])
        rest = [{k: v for k, v in one.items() if k not in ("properties", "required")} if one in plain else one
                for one in _listed(root.get("allOf"))]  # fmt: skip
        if "allOf" in root:
            root["allOf"] = [one for one in rest if one]
        return root

    def _found(self, reference: str) -> dict[str, Any] | None:
        here: Any = self._root
        if not reference.startswith("#"):
            return None
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            here = here.get(name) if isinstance(here, dict) else None
        return here if isinstance(here, dict) and here is not self._root else None

    def _has(self, reference: str) -> bool:
        name = reference.removeprefix("#/$defs/")
        return name != reference and name.replace("~1", "/").replace("~0", "~") in (
            _modern(self._root).get("$defs") or {}
        )

    def schema(self, schema: Json, place: str, *, top: bool = False) -> Any:
        """A schema as the language has it; what it lacks is noted."""
        if not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else True
        carried: dict[str, Any] = {}
        for keyword, value in _modern(schema).items():
            here = f"{place}/{keyword}" if place else keyword
            if top and keyword in ("allOf", "if", "then", "else", "dependentSchemas"):
                continue
            if (taken := self._keyword(keyword, value, here)) is not _NOTHING:
                carried[keyword] = taken
        if "$ref" in carried and not self._has(str(carried["$ref"])):
            self._draft.leave(
                f"{place}/$ref", f"`{one_line(carried.pop('$ref'))}` leads to nothing in the file's `$defs`"
            )
        self._options(schema, carried, place)
        if isinstance(schema.get("required"), list) and isinstance(carried.get("properties"), dict):
            carried["required"] = self._required(schema, carried, place)
        return carried

    def _keyword(self, keyword: str, value: Json, here: str) -> Any:
        if (why := _unread(keyword, value)) is not None:
            if why:
                self._draft.leave(here, why)
            return _NOTHING
        if keyword in ONE:
            return self.schema(value, here)
        if keyword in MANY:
            return [self.schema(one, f"{here}/{number}") for number, one in enumerate(_listed(value))] or _NOTHING
        special = next((read for keywords, read in self._special.items() if keyword in keywords), None)
        return value if special is None else special(keyword, value, here)

    def _named(self, keyword: str, value: Json, here: str) -> Any:
        if keyword == "patternProperties":
            self._draft.leave(here, "fields whose names are not known cannot be asked for")
            return _NOTHING
        if not isinstance(value, dict):
            self._draft.leave(here, "is no object")
            return _NOTHING
        if "" in value:
            self._draft.leave(here, "a field without a name")
        places = {name: name if keyword == "properties" else f"{here}/{name}" for name in value if name}
        return {name: self.schema(value[name], place) for name, place in places.items()}

    def _text(self, _: str, value: Json, here: str) -> Any:
        if isinstance(value, str) and value.strip():
            return as_title(value)
        if isinstance(value, dict) and value and all(isinstance(one, str) and one.strip() for one in value.values()):
            return {language: as_title(one) for language, one in value.items()}
        if value not in ("", None):
            self._draft.leave(here, "is no text")
        return _NOTHING

    def _format(self, _: str, value: Json, here: str) -> Any:
        name = RENAMED.get(value, value) if isinstance(value, str) else value
        if name in FORMATS:
            return name
        self._draft.leave(here, f"there is no format `{one_line(value, 60)}`, so any text is taken")
        return _NOTHING

    def _pattern(self, _: str, value: Json, here: str) -> Any:
        if isinstance(value, str) and _is_pattern(value):
            return value
        self._draft.leave(here, "this is no regular expression, so any text is taken")
        return _NOTHING

    def _options(self, schema: Mapping[str, Any], carried: dict[str, Any], place: str) -> None:
        """Choices with names, as some tools write them beside `enum`."""
        names, values = schema.get("enumNames"), schema.get("enum")
        if not isinstance(names, list):
            return
        if isinstance(values, list) and len(names) == len(values):
            del carried["enum"]
            carried["oneOf"] = [
                {"const": value, "title": as_title(name) or str(value)}
                for value, name in zip(values, names, strict=True)
            ]
        else:
            self._draft.leave(f"{place}/enumNames", "does not fit the `enum` beside it")

    def _required(self, schema: Mapping[str, Any], carried: Mapping[str, Any], place: str) -> list[str]:
        """Fields that are required and there."""
        names = list(dict.fromkeys(one for one in schema["required"] if isinstance(one, str)))
        for name in names:
            if name not in carried["properties"]:
                self._draft.leave(
                    f"{place}/required" if place else "required", f"there is no field `{one_line(name, 80)}`"
                )
        return [name for name in names if name in carried["properties"]]

    # Conditions.

    def _conditions(self, root: Mapping[str, Any], carried: dict[str, Any]) -> None:
        """`if`/`then`/`else` and `dependentSchemas` of the form itself."""
        for number, one in enumerate([root, *_listed(root.get("allOf"))]):
            place = f"allOf/{number - 1}" if number else ""
            if isinstance(one, dict) and "if" in one:
                self._condition(one, carried, place)
            elif number and one:
                self._draft.leave(
                    place,
                    "what `allOf` adds is not shown as fields"
                    if isinstance(one, dict) and one.keys() & {"$ref", "properties"}
                    else "is left out",
                )
        for name, one in _objects(_modern(root).get("dependentSchemas")):
            condition = f"has({_reading(name)})"
            if name in carried["properties"]:
                self._shown_when(one, condition, carried, f"dependentSchemas/{name}")
            else:
                self._draft.leave(f"dependentSchemas/{name}", "there is no such field")
        for name, needed in _objects(root.get("dependentRequired"), list):
            if not {name, *needed} <= carried["properties"].keys():
                carried["dependentRequired"].pop(name, None)
                self._draft.leave(f"dependentRequired/{name}", "names a field that is not there")

    def _condition(self, one: Mapping[str, Any], carried: dict[str, Any], place: str) -> None:
        condition = _met(one["if"], carried["properties"])
        prefix = f"{place}/" if place else ""
        if condition is None:
            self._draft.leave(
                f"{prefix}if", "only conditions that compare fields with `const` or `enum` can be carried over"
            )
            return
        for keyword, when in (("then", condition), ("else", f"!({condition})")):
            if isinstance(one.get(keyword), dict):
                self._shown_when(one[keyword], when, carried, f"{prefix}{keyword}")

    def _shown_when(self, schema: Mapping[str, Any], condition: str, carried: dict[str, Any], place: str) -> None:
        """What a branch adds: fields that are there only when it holds. Other rules of it stay out."""
        required = [one for one in _listed(schema.get("required")) if isinstance(one, str)]
        added = []
        for name, field in _objects(schema.get("properties"), (dict, bool)):
            if name in carried["properties"] or not name:
                if isinstance(field, dict) and field:
                    self._draft.leave(
                        f"{place}/properties/{name}",
                        "a rule that holds only sometimes, for a field that is always there",
                    )
                continue
            inner = self.schema(field, name)
            carried["properties"][name] = {**(inner if isinstance(inner, dict) else {}), "visibleWhen": condition}
            added.append(name)
        needed = [one for one in required if one in added]
        carried["required"] = list(dict.fromkeys([*carried.get("required", []), *needed]))
        for one in required:
            if one not in carried["required"]:
                self._draft.leave(
                    f"{place}/required",
                    f"`{one_line(one, 80)}` is required only sometimes: make it visible only then, or required always",
                )
        for keyword in schema.keys() - {"properties", "required", "title", "description", "type", "$comment"}:
            self._draft.leave(f"{place}/{keyword}", "is left out: a branch can only add fields")


_NOTHING: Final = object()


@lru_cache(maxsize=256)
def _is_pattern(text: str) -> bool:
    try:
        build_validator({"pattern": text})
    except ValidationError:
        return False
    return True


def _unread(keyword: str, value: Json) -> str | None:
    """Why a keyword is not carried over; empty where nobody misses it, None where it is."""
    if keyword == "$schema" and value != DIALECT:
        return f"`{one_line(value)}`: the schema is read as draft 2020-12"
    if keyword in ("$schema", "$id", "$comment", "$anchor", "$vocabulary", "enumNames", "definitions"):
        return ""
    if keyword == "readOnly" and value is True:
        return "people can change the field: a form has none that is only shown"
    if keyword not in _KNOWN and not keyword.startswith("x-"):
        return f"there is no keyword `{one_line(keyword, 60)}` in forms"
    return None


def _modern(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords of former drafts as the present one has them."""
    modern = dict(schema)
    if isinstance(modern.get("definitions"), dict):
        modern["$defs"] = {**modern.pop("definitions"), **(modern.get("$defs") or {})}
    if "id" in modern and isinstance(modern["id"], str):
        modern["$id"] = modern.pop("id")
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(modern.get(exclusive), bool) and modern.pop(exclusive) and bound in modern:
            modern[exclusive] = modern.pop(bound)
    if isinstance(modern.get("items"), list):
        modern["prefixItems"] = modern.pop("items")
    if isinstance(modern.get("required"), bool):
        modern.pop("required")
    if "properties" in modern and isinstance(modern["properties"], dict):
        needed = [n for n, one in modern["properties"].items() if isinstance(one, dict) and one.get("required") is True]
        if needed:
            modern["required"] = [*_listed(modern.get("required")), *needed]
    for name, one in _objects(modern.pop("dependencies", None), (dict, list)):
        keyword = "dependentRequired" if isinstance(one, list) else "dependentSchemas"
        modern[keyword] = {**(modern.get(keyword) or {}), name: one}
    return modern


def _met(condition: Json, fields: Mapping[str, Any]) -> str | None:
    """When a condition holds, as an expression: fields that equal something; None where it says anything else."""
    if not isinstance(condition, dict):
        return None
    if set(condition) == {"not"}:
        inner = _met(condition["not"], fields)
        return None if inner is None else f"!({inner})"
    if not condition.keys() <= {"properties", "required", "type", "$comment"}:
        return None
    terms = [f"has({_reading(one)})" for one in _listed(condition.get("required")) if one in fields]
    for name, one in (condition.get("properties") or {}).items():
        term = _equals(name, one) if name in fields and isinstance(one, dict) else None
        if term is None:
            return None
        terms = [known for known in terms if known != f"has({_reading(name)})"] + [term]
    return " && ".join(terms) or None


def _equals(name: str, rule: Mapping[str, Any]) -> str | None:
    values = [rule["const"]] if set(rule) == {"const"} else rule.get("enum") if set(rule) == {"enum"} else None
    if not isinstance(values, list) or not values or len(values) > 20:
        return None
    if not all(isinstance(one, str | bool) or (isinstance(one, int) and abs(one) < 2**53) for one in values):
        return None
    written = [_literal(one) for one in values]
    test = f"{_reading(name)} == {written[0]}" if len(written) == 1 else f"{_reading(name)} in [{', '.join(written)}]"
    return f"has({_reading(name)}) && {test}"


def _literal(value: str | int | bool) -> str:
    return dumps(value)


def _reading(name: Any) -> str:
    """How an expression reads a field."""
    return f"form.{name}" if re.fullmatch(IDENTIFIER, str(name)) else f"form[{dumps(str(name))}]"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any, kinds: Any = dict) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((name, one) for name, one in value.items() if isinstance(one, kinds))


def _joined(left: Any, right: Any) -> Any:
    if isinstance(left, dict) and isinstance(right, dict):
        return {**right, **left}
    if isinstance(left, list) and isinstance(right, list):
        return [*left, *right]
    return right if left is None else left
