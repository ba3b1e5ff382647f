"""What one evaluation of an expression has: the names that it reads, and what its macros may spend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from passerelle.definitions.expressions.errors import Failure
from passerelle.definitions.expressions.values import to_json
from passerelle.kit.json import Json, KnownJson
from passerelle.kit.work import HERE_STEPS, Meter, TooCostlyError, current, metered, spend

ROUND: Final = 8
"""Steps of one more run of a macro's body, beside those of the body itself."""
LONG: Final = 256
"""Characters or items from which handling a value costs more than the operation itself."""


def handled(value: Any) -> None:
    """Spend for going through a text or a list once. What is inside of a list's items is not looked at."""
    if (type(value) is str or type(value) is list) and len(value) > LONG:
        spend(len(value) >> 7 if type(value) is str else len(value) >> 2)


@dataclass(slots=True)  # not frozen, which would take as long to make as many an expression takes to evaluate
class Evaluation:
    """One evaluation over `names`. The bodies of macros run over names of their own, with the same `meter`."""

    names: Mapping[str, Json]
    meter: Meter


Operation = Callable[[Evaluation], Any]
"""A compiled expression, or a part of one: gives its value as expressions compute with it. Raises `Failure`."""


def result(operation: Operation, names: Mapping[str, Json], *, only_reads: bool) -> KnownJson:
    """The value as JSON; what is only read is not copied. Raises `Failure`, and `WorkError` under a meter."""
    meter = current()
    if meter is not None:
        meter.begin()
        return _result(operation, Evaluation(names, meter), only_reads=only_reads)
    with metered(Meter(each=HERE_STEPS)) as meter:
        return _result(operation, Evaluation(names, meter), only_reads=only_reads)


def _result(operation: Operation, run: Evaluation, *, only_reads: bool) -> KnownJson:
    try:
        value = operation(run)
        if only_reads and isinstance(value, list | Mapping):
            return value
        return to_json(value)
    except TooCostlyError as error:
        raise Failure(str(error)) from None
    except RecursionError:
        raise Failure("a value has too many levels") from None
    except (ArithmeticError, LookupError, TypeError, ValueError):
        # Such as a text with half a character. What such errors say may show values.
        raise Failure("the values do not fit what is done with them") from None
