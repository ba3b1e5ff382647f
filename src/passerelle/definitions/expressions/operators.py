"""Arithmetic and comparisons, exact for whole numbers."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from passerelle.definitions.expressions.errors import Failure
from passerelle.definitions.expressions.values import MAX_RESULT, MAX_TEXT, equal, is_number, named, number
from passerelle.kit.work import spend

Operator = Callable[[Any, Any], Any]


def add(left: Any, right: Any) -> Any:
    """Numbers, texts, lists, durations, and a time with a duration."""
    if is_number(left) and is_number(right):
        return _exactly(operator.add, left, right)
    if type(left) is str and type(right) is str:
        if len(left) + len(right) > MAX_TEXT:
            raise Failure(f"a text would have more than {MAX_TEXT:,} characters")
        spend((len(left) + len(right)) >> 10)
        return left + right
    if type(left) is list and type(right) is list:
        if len(left) + len(right) > MAX_RESULT:
            raise Failure(f"a list would have more than {MAX_RESULT:,} items")
        spend((len(left) + len(right)) >> 6)
        return left + right
    if _time_and_duration(left, right) or _time_and_duration(right, left):
        return _in_range(lambda: left + right)
    hint = "; string(…) makes a text of a number" if str in (type(left), type(right)) else ""
    raise Failure(f"cannot add {named(left)} and {named(right)}{hint}")


def subtract(left: Any, right: Any) -> Any:
    """Numbers, times, durations, and a time less a duration."""
    if is_number(left) and is_number(right):
        return _exactly(operator.sub, left, right)
    if _time_and_duration(left, right) or (type(left) is datetime and type(right) is datetime):
        return _in_range(lambda: left - right)
    raise Failure(f"cannot subtract {named(right)} from {named(left)}")


def multiply(left: Any, right: Any) -> int | float:
    """Two numbers."""
    _numbers(left, right, "multiply {} by {}")
    return _exactly(operator.mul, left, right)


def divide(left: Any, right: Any) -> int | float:
    """Two numbers: 7 / 2 is 3.5."""
    _numbers(left, right, "divide {} by {}")
    if right == 0:
        raise Failure("division by zero")
    if type(left) is int and type(right) is int:
        whole, rest = divmod(left, right)
        return number(whole) if rest == 0 else _not_whole(left / right)
    return _exactly(operator.truediv, left, right)


def remainder(left: Any, right: Any) -> int | float:
    """What a division leaves, with the sign of what is divided: -7 % 3 is -1."""
    _numbers(left, right, "divide {} by {}")
    if right == 0:
        raise Failure("division by zero")
    if type(left) is int and type(right) is int:
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return _exactly(math.fmod, left, right)


def negative(value: Any) -> Any:
    """A number's negative."""
    if not is_number(value):
        raise Failure(f"cannot take the negative of {named(value)}")
    return number(-value)


def _numbers(left: Any, right: Any, what: str) -> None:
    if not (is_number(left) and is_number(right)):
        raise Failure(f"cannot {what.format(named(left), named(right))}")


def _exactly(operation: Operator, left: int | float, right: int | float) -> int | float:
    """The operation; a whole number that a float cannot hold exactly is refused beside a float."""
    if type(left) is not type(right):
        left, right = exact_float(left), exact_float(right)
    try:
        return number(operation(left, right))
    except OverflowError:
        raise Failure("a number is too large") from None


def exact_float(value: int | float) -> float:
    """The number as a float; a whole number that a float cannot hold exactly is refused."""
    if type(value) is int and int(float(value)) != value:
        raise Failure("a whole number this large can only be computed with other whole numbers")
    return float(value)


def _not_whole(quotient: float) -> float:
    """A quotient with a fraction, which the float must still have."""
    if quotient.is_integer():
        raise Failure("the quotient of whole numbers this large would not be exact")
    return quotient


def _time_and_duration(left: Any, right: Any) -> bool:
    return type(right) is timedelta and type(left) in (datetime, timedelta)


def _in_range(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except OverflowError:
        raise Failure("a time is before the year 1 or after the year 9999") from None


def is_in(item: Any, container: Any) -> bool:
    """Whether a list has the item, or an object a member of that name."""
    if isinstance(container, list):
        if type(item) is str:  # nothing but a text is equal to a text, for Python as for JSON
            spend(len(container) >> 5)
            return item in container
        spend(len(container))
        return any(equal(item, other) for other in container)
    if isinstance(container, Mapping):
        return type(item) is str and item in container
    hint = "; use contains(…) to look inside a text" if type(container) is str else ""
    raise Failure(f"`in` needs a list or an object at its right, not {named(container)}{hint}")


def _ordered(symbol: str, compare: Callable[[Any, Any], bool]) -> Operator:
    def ordered(left: Any, right: Any) -> bool:
        if (type(left) is type(right) and type(left) in _ORDERED) or (is_number(left) and is_number(right)):
            return compare(left, right)
        raise Failure(f"cannot compare {named(left)} with {named(right)} by `{symbol}`")

    return ordered


_ORDERED: Final = frozenset({str, bool, datetime, timedelta})

COMPARISONS: Final[dict[str, Operator]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _ordered("<", operator.lt),
    "<=": _ordered("<=", operator.le),
    ">": _ordered(">", operator.gt),
    ">=": _ordered(">=", operator.ge),
    "in": is_in,
}
ARITHMETIC: Final[dict[str, Operator]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
}
