"""What expressions compute with: JSON values, and beside them times (`datetime`) and durations (`timedelta`).

Numbers are JSON numbers. Whole ones are exact up to 64 bits, and what cannot be exact is refused; there are no
infinities. Reasons of failures name types, never values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeGuard

from passerelle.definitions.expressions.errors import Failure
from passerelle.kit.clock import iso
from passerelle.kit.json import Json, KnownJson, dumps
from passerelle.kit.work import spend

MAX_TEXT: Final = 1_000_000
"""Characters of a text that an expression makes."""
MAX_RESULT: Final = 200_000
"""Values inside a list or an object that an expression makes. What is only passed on is not counted."""
MAX_RESULT_TEXT: Final = 4_000_000
"""Characters of all texts inside a list or an object that an expression makes."""

EXACT: Final = 2**53
"""Up to here every whole number is exact as a float, too."""
_WHOLE_NUMBERS: Final = range(-(2**63), 2**64)

_NAMES: Final[dict[type, str]] = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
    datetime: "a time",
    timedelta: "a duration",
}


def named(value: Any) -> str:
    """The type of `value` in plain words: "a text"."""
    name = _NAMES.get(type(value))
    if name is None:
        name = "an object" if isinstance(value, Mapping) else "not a JSON value"
    return name


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether it is a JSON number; true and false are none."""
    return type(value) is int or type(value) is float


def number(value: int | float) -> int | float:
    """`value`, if it is a number that JSON can say; else a failure."""
    if type(value) is int:
        if value not in _WHOLE_NUMBERS:
            raise Failure("a whole number has more than 64 bits")
    elif not math.isfinite(value):
        raise Failure("a number is too large")
    return value


def simple(value: float) -> int | float:
    """A whole number as `int`, where a float is sure to be exact."""
    return int(value) if value.is_integer() and -EXACT <= value <= EXACT else value


_PLAIN: Final = frozenset({str, bool, type(None)})


def equal(left: Any, right: Any) -> bool:
    """JSON equality: 1 and 1.0 are equal; 1 and true, or 1 and "1", are not."""
    if type(left) in _PLAIN or type(right) in _PLAIN:
        if type(left) is str and len(left) > 1_000:
            spend(len(left) >> 10)
        return type(left) is type(right) and bool(left == right)
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return False
        spend(2 * len(left))
        return all(map(equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        spend(2 * len(left))
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


def text_of(value: Any) -> str:
    """A value in a text: texts as they are, numbers, true and false as in JSON, lists and objects as compact JSON.

    null is refused: "null" in a message to a person is never meant.
    """
    if type(value) is str:
        return value
    if value is None:
        raise Failure("is null, and has no place in a text; write x == null ? … : … for what to put there instead")
    plain = to_json(value)
    if type(plain) is str:
        return plain
    try:
        return dumps(plain)
    except (TypeError, ValueError, RecursionError):
        raise Failure("holds what JSON text cannot say: more than 64 bits, or too many levels") from None


def seconds_text(value: timedelta) -> str:
    """A duration as its seconds, `5400s` or `0.25s`: how the JSON mapping of Protocol Buffers writes it."""
    microseconds = value // timedelta(microseconds=1)
    whole, part = divmod(abs(microseconds), 1_000_000)
    fraction = f".{part:06d}".rstrip("0") if part else ""
    return f"{'-' if microseconds < 0 else ''}{whole}{fraction}s"


def to_json(value: Any) -> KnownJson:
    """The result of an expression as JSON: whole numbers as `int`, times as ISO 8601, durations as seconds."""
    return _Result().of(value)


class _Result:
    """Counts while it copies: a list can be in another one a thousand times, and so can a text."""

    def __init__(self) -> None:
        self.left = MAX_RESULT
        self.text_left = MAX_RESULT_TEXT

    def of(self, value: Any) -> KnownJson:
        kind = type(value)
        if kind is str:
            self.text_left -= len(value)
            if self.text_left < 0:
                raise Failure(f"the texts of the result have more than {MAX_RESULT_TEXT:,} characters in all")
            return value
        if kind is bool or value is None:
            return value
        if kind is int or kind is float:
            checked = number(value)
            return simple(checked) if kind is float else checked
        if kind is datetime:
            return iso(value)
        if kind is timedelta:
            return seconds_text(value)
        return self._container(value)

    def _container(self, value: Any) -> Json:
        if not isinstance(value, list | Mapping):
            raise Failure("a value is not a JSON value")
        self.left -= len(value)
        if self.left < 0:
            raise Failure(f"the result has more than {MAX_RESULT:,} values")
        spend(len(value) >> 2)
        if isinstance(value, list):
            return [self.of(item) for item in value]
        return {key: self.of(item) for key, item in value.items()}
