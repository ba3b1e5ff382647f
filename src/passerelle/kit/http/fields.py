"""Says in our words, and with JSON pointers, what Pydantic found wrong with a body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel

from passerelle.kit.errors import Code, Problem
from passerelle.kit.json import Json, KnownJson

FIELD_REQUIRED: Final = Code("FIELD_REQUIRED", 400, "A field that the body must have is missing.")
FIELD_TYPE: Final = Code("FIELD_TYPE", 400, "A field has a value of the wrong type.")
FIELD_UNKNOWN: Final = Code("FIELD_UNKNOWN", 400, "The body has a field that the address does not know.")
FIELD_INVALID: Final = Code("FIELD_INVALID", 400, "A field's value is of the right type, but not allowed.")

Explanations = Mapping[str, tuple[Code, str]]
"""For a top-level field, by its name in JSON: the code and the message to use instead of the usual ones."""

_Path = tuple[str | int, ...]

_EXPECTED: Final = {
    "uuid_parsing": "must be a UUID, such as 0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80",
    "uuid_type": "must be a UUID, such as 0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80",
    "string_type": "must be a string",
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "datetime_type": "must be a time, such as 2026-01-05T09:00:00Z",
    "datetime_parsing": "must be a time, such as 2026-01-05T09:00:00Z",
    "datetime_from_date_parsing": "must be a time, such as 2026-01-05T09:00:00Z",
    "timezone_aware": "must be a time with its zone, such as 2026-01-05T09:00:00Z",
}
_KINDS: Final = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}


def pointer(path: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def explain(items: Iterable[Mapping[str, Any]], body: Json, model: Any) -> list[Problem]:
    """Everything that is wrong with `body`, one problem a place, in the order of the model's fields.

    `items` is what Pydantic found, with places in the body. A `model` may have errors of its own for fields that are
    missing or unknown; null counts as missing where it has one for that.
    """
    inner = model_in(model)
    when_missing: Explanations = getattr(inner, "when_missing", {})
    special = {"missing": when_missing, "extra_forbidden": getattr(inner, "when_unknown", {})}
    problems: dict[tuple[str, str | None], Problem] = {}
    for item in items:
        path = _resolve(item["loc"], body, missing=item["type"] == "missing")
        absent = item["input"] is None and _name(path) in when_missing
        kind = "missing" if absent else item["type"]
        code, message = special.get(kind, {}).get(_name(path)) or _explain(item, path, model)
        place = pointer(path) if path or item["type"] != "repeated" else None
        problem = code.problem(message, place)
        # The alternatives of a union are reported one by one: each says what else would be right.
        earlier = problems.get((problem.code, place))
        if earlier is not None and message not in earlier.message:
            problem = code.problem(f"{earlier.message}; or {message}", place)
        problems[problem.code, place] = problem
    return list(problems.values())


def _explain(item: Mapping[str, Any], path: _Path, model: Any) -> tuple[Code, str]:
    kind = item["type"]
    if kind in ("unstorable", "repeated"):
        return FIELD_INVALID, item["msg"]
    if kind == "missing":
        return FIELD_REQUIRED, f"`{_name(path)}` is required"
    if kind == "extra_forbidden":
        return FIELD_UNKNOWN, _unknown(_name(path), str(path[-1]), _fields_at(model, path[:-1]))
    if kind.endswith("_type") or kind == "int_from_float":
        return FIELD_TYPE, _wrong(_name(path), item)
    return FIELD_INVALID, _wrong(_name(path), item)


def _name(path: _Path) -> str:
    return ".".join(str(part) for part in path)


def _resolve(loc: Sequence[str | int], body: KnownJson, *, missing: bool) -> _Path:
    """Where `loc` points to in the body. Names of alternatives of a union are no places."""
    path: list[str | int] = []
    here = body
    for index, part in enumerate(loc):
        inside = (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        )
        if inside:
            path.append(part)
            here = here[part]
        elif missing and index == len(loc) - 1:
            path.append(part)
    return tuple(path)


def _fields_at(model: Any, path: _Path) -> list[str]:
    """The names that the object at `path` may have; none where it is no model."""
    here = model_in(model)
    for part in path:
        if isinstance(part, str) and here is not None:
            here = next(
                (
                    model_in(field.annotation)
                    for name, field in here.model_fields.items()
                    if part in (name, field.alias)
                ),
                None,
            )
    return [] if here is None else [field.alias or name for name, field in here.model_fields.items()]


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that `X | None`, `list[X]` and the like are about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part)) is not None), None)


def _unknown(name: str, key: str, known: Sequence[str]) -> str:
    nearest = get_close_matches(key, known, n=1)
    if nearest:
        return f"`{name}` is not a field here; did you mean `{nearest[0]}`?"
    if known:
        return f"`{name}` is not a field here; the fields are {', '.join(f'`{field}`' for field in known)}"
    return f"`{name}` is not a field here; leave it out"


def _wrong(name: str, item: Mapping[str, Any]) -> str:
    expected = _EXPECTED.get(item["type"])
    if expected is not None:
        return f"`{name}` {expected}; it is {_kind_of(item['input'])}"
    return f"`{name}`: {said(item['msg'])}"


def said(message: str) -> str:
    """What Pydantic says of a value, as a part of a sentence of ours."""
    for prefix in ("Value error, ", "Assertion failed, "):
        if message.startswith(prefix):
            return message.removeprefix(prefix)
    return f"{message[:1].lower()}{message[1:]}"


def _kind_of(value: Json) -> str:
    if isinstance(value, str) and len(value) <= 60:
        return f'"{value}"'
    return _KINDS.get(type(value), "a number")
