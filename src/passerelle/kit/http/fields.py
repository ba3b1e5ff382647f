"""Says in our words, and with JSON pointers, what Pydantic found wrong with a body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from passerelle.errors import Code, Problem
from passerelle.kit.json import Json

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


def explain(
    error: ValidationError,
    body: Mapping[str, Json],
    model: type[BaseModel],
    when_missing: Explanations,
    when_unknown: Explanations,
) -> list[Problem]:
    """Everything that is wrong with `body`, one problem a place, in the order of the model's fields.

    Null counts as missing where `when_missing` has a word of its own for that.
    """
    special = {"missing": when_missing, "extra_forbidden": when_unknown}
    problems: dict[tuple[str, str | None], Problem] = {}
    for item in error.errors(include_url=False):
        path = _resolve(item["loc"], body, missing=item["type"] == "missing")
        absent = item["input"] is None and _name(path) in when_missing
        kind = "missing" if absent else item["type"]
        code, message = special.get(kind, {}).get(_name(path)) or _explain(item, path, model)
        problem = code.problem(message, pointer(path))
        place = (problem.code, problem.pointer)
        # The alternatives of a union are reported one by one: each says what else would be right.
        if place in problems and message not in problems[place].message:
            problem = code.problem(f"{problems[place].message}; or {message}", pointer(path))
        problems[place] = problem
    return list(problems.values())


def _explain(item: ErrorDetails, path: _Path, model: type[BaseModel]) -> tuple[Code, str]:
    kind = item["type"]
    if kind == "missing":
        return FIELD_REQUIRED, f"`{_name(path)}` is required"
    if kind == "extra_forbidden":
        return FIELD_UNKNOWN, _unknown(_name(path), str(path[-1]), _fields_at(model, path[:-1]))
    if kind.endswith("_type") or kind == "int_from_float":
        return FIELD_TYPE, _wrong(_name(path), item)
    return FIELD_INVALID, _wrong(_name(path), item)


def _name(path: _Path) -> str:
    return ".".join(str(part) for part in path)


def _resolve(loc: Sequence[str | int], body: Json, *, missing: bool) -> _Path:
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


def _fields_at(model: type[BaseModel], path: _Path) -> list[str]:
    """The names that the object at `path` may have; none where it is no model."""
    here: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str) and here is not None:
            here = next(
                (
                    _model_in(field.annotation)
                    for name, field in here.model_fields.items()
                    if part in (name, field.alias)
                ),
                None,
            )
    return [] if here is None else [field.alias or name for name, field in here.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that `X | None`, `list[X]` and the like are about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


def _unknown(name: str, key: str, known: Sequence[str]) -> str:
    nearest = get_close_matches(key, known, n=1)
    if nearest:
        return f"`{name}` is not a field here; did you mean `{nearest[0]}`?"
    if known:
        return f"`{name}` is not a field here; the fields are {', '.join(f'`{field}`' for field in known)}"
    return f"`{name}` is not a field here; leave it out"


def _wrong(name: str, item: ErrorDetails) -> str:
    expected = _EXPECTED.get(item["type"])
    if expected is not None:
        return f"`{name}` {expected}; it is {_kind_of(item['input'])}"
    message = item["msg"]
    for prefix in ("Value error, ", "Assertion failed, "):
        if message.startswith(prefix):
            return f"`{name}`: {message.removeprefix(prefix)}"
    return f"`{name}`: {message[0].lower()}{message[1:]}"


def _kind_of(value: Json) -> str:
    if isinstance(value, str) and len(value) <= 60:
        return f'"{value}"'
    return _KINDS.get(type(value), "a number")
