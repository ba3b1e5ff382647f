"""Whether what expressions read of an output, of the parameters or of a record can be there, and be what they ask for.

What is known of a value is a JSON Schema of it: of a form its fields, of a check its members, of a review its outcomes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from passerelle.definitions.words import one_of, suggest
from passerelle.kit.json import Json, JsonObject

_COMPOSED: Final = ("$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "patternProperties")
"""Keywords that may add members, so that none is known to be missing."""


@dataclass(frozen=True, slots=True)
class ReadingFinding:
    """What is said about one reading. `sure`: it cannot work; otherwise it may fail, or may be meant."""

    sure: bool
    message: str


def members(names: Mapping[str, Json], *, open_: bool = False, required: bool = True) -> JsonObject:
    """The schema of an object with these members, each with its own schema."""
    schema: dict[str, Any] = {"properties": dict(names)}
    if required:
        schema["required"] = list(names)
    return schema if open_ else {**schema, "additionalProperties": False}


def submitted(schema: Json) -> Json:
    """What of a form's schema is true of its answers: objects have no other members, hidden fields may be missing."""
    if not isinstance(schema, dict):
        return schema
    shape = {name: value for name, value in schema.items() if name not in ("properties", "items", "required")}
    properties = schema.get("properties")
    if isinstance(properties, dict):
        shape["properties"] = {name: submitted(inner) for name, inner in properties.items()}
        if not any(keyword in schema for keyword in (*_COMPOSED, "unevaluatedProperties")):
            shape.setdefault("additionalProperties", False)
        asked = schema.get("required")
        if isinstance(asked, list):
            hidden = {n for n, inner in properties.items() if isinstance(inner, dict) and "visibleWhen" in inner}
            shape["required"] = [name for name in asked if name not in hidden]
    return shape


def readings(
    shape: Json, names: tuple[str, ...], compared: tuple[Json, ...], said: str, *, guarded: bool
) -> Iterator[ReadingFinding]:
    """What is wrong with reading `names` of a value of this shape, and comparing it with the constants `compared`.

    said      the value as the expression writes it
    guarded   whether a `has(…)` asks for it before
    """
    for name in names:
        if not isinstance(shape, dict) or any(keyword in shape for keyword in _COMPOSED):
            return
        properties = shape.get("properties")
        if not isinstance(properties, dict):
            return
        if name not in properties:
            if shape.get("additionalProperties") is False:
                yield ReadingFinding(True, f"`{said}` has no `{name}`; {suggest(name, list(properties), 'it has')}")
            return
        if name not in shape.get("required", ()) and not guarded:
            yield ReadingFinding(
                False,
                f"`{said}.{name}` may be left out, and reading it fails then: write "
                f"`has({said}.{name}) ? {said}.{name} : …`, or let it be required",
            )
            guarded = True
        shape, said = properties[name], f"{said}.{name}"
    yield from _values(shape, compared, said)


def _values(shape: Json, compared: tuple[Json, ...], said: str) -> Iterator[ReadingFinding]:
    possible = shape.get("enum") if isinstance(shape, dict) else None
    if not isinstance(possible, list):
        return
    for value in compared:
        if value is not None and value not in possible:
            known = [str(one) for one in possible]
            hint = suggest(str(value), known, "it can be") if isinstance(value, str) else f"it can be {one_of(known)}"
            yield ReadingFinding(True, f"`{said}` is never `{value}`; {hint}")
