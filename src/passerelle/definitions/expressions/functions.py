"""The functions that expressions may call, each as `f(x, y)` and as `x.f(y)`.

The core is CEL's standard library; the others have the names and meanings of cel-go's extensions (strings, math,
lists) and of Kubernetes' list library (`sum`, `min`, `max`). Texts are counted in characters.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache, reduce
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final

import re2

from passerelle.definitions.expressions import times
from passerelle.definitions.expressions.errors import Failure
from passerelle.definitions.expressions.operators import add, exact_float
from passerelle.definitions.expressions.signatures import (
    ANYTHING,
    BOOLEAN,
    DURATION,
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
    TIME,
    WHOLE,
    Function,
)
from passerelle.definitions.expressions.values import (
    MAX_RESULT,
    MAX_TEXT,
    is_number,
    number,
    simple,
    text_of,
)
from passerelle.kit.outgoing.content import NotJson, parse_json
from passerelle.kit.work import spend

LONGEST_PATTERN: Final = 500
"""Characters of a regular expression."""
PATTERN_BYTES: Final = 1 << 20
"""Memory that a regular expression and its search may take."""
_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER: Final = str.maketrans(ascii_lowercase, ascii_uppercase)
_TRUE: Final = frozenset({"1", "t", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "false", "FALSE", "False"})


@lru_cache(maxsize=32)
def _pattern(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = PATTERN_BYTES
    options.log_errors = False
    options.never_capture = True  # whether it matches is asked, never what
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        raise Failure("matches(…): the pattern is not a regular expression of RE2's syntax") from None


def matches(text: str, pattern: str) -> bool:
    """RE2 syntax, in time linear in the text: the engine has no backtracking."""
    if len(pattern) > LONGEST_PATTERN:
        raise Failure(f"matches(…): the pattern has more than {LONGEST_PATTERN} characters")
    compiled = _pattern(pattern)
    # The slowest of RE2's ways, which it takes where a pattern is too large for the others, is priced.
    spend(len(text) * compiled.programsize >> 7)
    return compiled.search(text) is not None


def _integer(value: str | int | float | datetime) -> int:
    if isinstance(value, datetime):
        return times.whole(value - times.timestamp(0), timedelta(seconds=1))
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?[0-9]{1,25}", value):
            raise Failure("int(…): the text is not a whole number")
        value = int(value)
    return int(number(int(number(value))))


def _double(value: str | int | float) -> int | float:
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", value):
        raise Failure("double(…): the text is not a number")
    return number(float(value))


def _boolean(value: str | bool) -> bool:
    if isinstance(value, bool):
        return value
    if value not in _TRUE | _FALSE:
        raise Failure("bool(…): the text is neither true nor false")
    return value in _TRUE


def _outside(name: str) -> Failure:
    return Failure(f"{name}(…): a position is outside of the text or list")


def _range_of(name: str) -> Callable[..., Any]:
    """What stands from `start` to before `end`, of a text or a list."""

    def run(items: Any, start: int, end: int | None = None) -> Any:
        end = len(items) if end is None else end
        if not 0 <= start <= end <= len(items):
            raise _outside(name)
        return items[start:end]

    return run


def _char_at(text: str, at: int) -> str:
    """The character, or an empty text right behind the last one."""
    if not 0 <= at <= len(text):
        raise _outside("charAt")
    return text[at : at + 1]


def _index_of(text: str, part: str, offset: int = 0) -> int:
    if not 0 <= offset <= len(text):
        raise _outside("indexOf")
    return text.find(part, offset)


def _last_index_of(text: str, part: str, offset: int | None = None) -> int:
    """The last place of `part`, or the last that is not behind `offset`."""
    if offset is None:
        return text.rfind(part)
    if not 0 <= offset <= len(text):
        raise _outside("lastIndexOf")
    return text.rfind(part, 0, offset + len(part))


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    """At most `limit` pieces, if it is not negative; an empty separator gives the characters."""
    if limit == 0:
        return []
    if (text.count(separator) if separator else len(text)) >= MAX_RESULT:
        raise Failure(f"split(…): the list would have more than {MAX_RESULT:,} items")
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    if limit < 0 or limit >= len(text):
        return list(text)
    return [*text[: limit - 1], text[limit - 1 :]]


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    count = text.count(old) if limit < 0 else min(limit, text.count(old))
    _check_length(len(text) + count * (len(new) - len(old)))
    return text.replace(old, new, limit if limit >= 0 else -1)


def _join(items: list[Any], separator: str = "") -> str:
    if not all(type(item) is str for item in items):
        raise Failure("join(…): takes a list of texts; make them by map(x, string(x))")
    _check_length(sum(map(len, items)) + len(separator) * len(items))
    return separator.join(items)


def _check_length(length: int) -> None:
    if length > MAX_TEXT:
        raise Failure(f"a text would have more than {MAX_TEXT:,} characters")


def _parsed(text: str) -> Any:
    spend(len(text) >> 3)
    try:
        return parse_json(text)
    except NotJson:
        raise Failure("parseJson(…): the text is not JSON, or not JSON that can be kept") from None


def _sum(items: list[Any]) -> Any:
    if items and all(type(item) is timedelta for item in items):
        return reduce(add, items)
    if not all(map(is_number, items)):
        raise Failure("sum(…): takes a list of numbers, or of durations")
    if float not in map(type, items):
        return number(sum(items))
    return number(math.fsum(map(exact_float, items)))


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    for _ in range(depth):
        if not any(isinstance(item, list) for item in items):
            break
        if sum(len(item) for item in items if isinstance(item, list)) > MAX_RESULT:
            raise Failure(f"flatten(…): the list would have more than {MAX_RESULT:,} items")
        items = [inner for item in items for inner in (item if isinstance(item, list) else [item])]
    return items


def _distinct(items: list[Any]) -> list[Any]:
    return list({_identity(item): item for item in reversed(items)}.values())[::-1]


def _identity(value: Any) -> Any:
    """Something to hash by that is the same for what is equal in JSON."""
    if isinstance(value, list):
        spend(2 * len(value))
        return ("list", *map(_identity, value))
    if isinstance(value, Mapping):
        spend(2 * len(value))
        return frozenset((key, _identity(member)) for key, member in value.items())
    return ("boolean", value) if isinstance(value, bool) else value


def _of_comparable(function: Callable[[list[Any]], Any], name: str) -> Callable[..., Any]:
    """A function of a list, or of several values, that can be put in order."""

    def run(*values: Any) -> Any:
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
        kinds = {float if is_number(item) else type(item) for item in items}
        if len(kinds) > 1 or not kinds <= {float, str, datetime, timedelta}:
            raise Failure(f"{name}(…): takes values of one kind: numbers, texts, times or durations")
        if not items and name != "sort":
            raise Failure(f"{name}(…): the list is empty")
        return function(items)

    return run


def _nearest(value: float) -> int:
    """Halves go away from zero."""
    whole = math.trunc(value)
    return whole + (1 if value > 0 else -1) if abs(value - whole) >= 0.5 else whole


def _rounded(function: Callable[[float], int]) -> Callable[[int | float], int | float]:
    """Whole numbers stay what they are, so that none goes through a float."""
    return lambda value: value if isinstance(value, int) else simple(float(function(number(value))))


def _part(name: str) -> Callable[..., int]:
    of_time = times.part_of_time(times.TIME_PARTS[name])

    def get(value: Any, *zone: str) -> int:
        if type(value) is datetime:
            return of_time(value, *zone)
        if zone:
            raise Failure(f"{name}(…): a duration has no time zone")
        return times.DURATION_PARTS[name](value)

    return get


_TWO_TEXTS = (TEXT, TEXT)
_POSITION = (TEXT, TEXT, WHOLE)
_RANGE = (WHOLE, WHOLE)

_CORE = (
    Function("size", (TEXT | LIST | OBJECT,), len),
    Function("int", (NUMBER | TEXT | TIME,), _integer),
    Function("double", (NUMBER | TEXT,), _double),
    Function("string", (TEXT | NUMBER | BOOLEAN | TIME | DURATION,), text_of),
    Function("bool", (BOOLEAN | TEXT,), _boolean, is_condition=True),
    Function("timestamp", (TEXT | NUMBER | TIME,), times.timestamp),
    Function("duration", (TEXT | DURATION,), times.duration),
    Function("contains", _TWO_TEXTS, lambda text, part: part in text, is_condition=True),
    Function("startsWith", _TWO_TEXTS, str.startswith, is_condition=True),
    Function("endsWith", _TWO_TEXTS, str.endswith, is_condition=True),
    Function("matches", _TWO_TEXTS, matches, is_condition=True),
)
_TEXTS = (
    Function("charAt", (TEXT, WHOLE), _char_at),
    Function("indexOf", _POSITION, _index_of, optional=1),
    Function("lastIndexOf", _POSITION, _last_index_of, optional=1),
    Function("substring", (TEXT, *_RANGE), _range_of("substring"), optional=1),
    Function("replace", (*_TWO_TEXTS, TEXT, WHOLE), _replace, optional=1),
    Function("split", (*_TWO_TEXTS, WHOLE), _split, optional=1),
    Function("join", (LIST, TEXT), _join, optional=1),
    Function("lowerAscii", (TEXT,), lambda text: text.translate(_LOWER)),
    Function("upperAscii", (TEXT,), lambda text: text.translate(_UPPER)),
    Function("trim", (TEXT,), str.strip),
    Function("parseJson", (TEXT,), _parsed),
    Function("base64.encode", (TEXT,), lambda text: base64.b64encode(text.encode()).decode()),
)
_LISTS = (
    Function("reverse", (TEXT | LIST,), lambda items: items[::-1]),
    Function("sum", (LIST,), _sum),
    Function("min", (LIST,), _of_comparable(min, "min")),
    Function("max", (LIST,), _of_comparable(max, "max")),
    Function("sort", (LIST,), _of_comparable(sorted, "sort")),
    Function("distinct", (LIST,), _distinct),
    Function("flatten", (LIST, WHOLE), _flatten, optional=1),
    Function("slice", (LIST, *_RANGE), _range_of("slice")),
)
_MATH = (
    Function("math.greatest", (ANYTHING,) * 8, _of_comparable(max, "math.greatest"), optional=7),
    Function("math.least", (ANYTHING,) * 8, _of_comparable(min, "math.least"), optional=7),
    Function("math.abs", (NUMBER,), lambda value: number(abs(value))),
    Function("math.sign", (NUMBER,), lambda value: (value > 0) - (value < 0)),
    Function("math.ceil", (NUMBER,), _rounded(math.ceil)),
    Function("math.floor", (NUMBER,), _rounded(math.floor)),
    Function("math.round", (NUMBER,), _rounded(_nearest)),
    Function("math.trunc", (NUMBER,), _rounded(math.trunc)),
)
_TIMES = tuple(
    Function(name, (TIME | DURATION if name in times.DURATION_PARTS else TIME, TEXT), _part(name), optional=1)
    for name in times.TIME_PARTS
)
FUNCTIONS: Final = {function.name: function for function in (*_CORE, *_TEXTS, *_LISTS, *_MATH, *_TIMES)}
"""By name."""
NAMESPACES: Final = frozenset(name.partition(".")[0] for name in FUNCTIONS if "." in name)
"""What stands before the dot of functions that are called as `math.abs(x)`."""
