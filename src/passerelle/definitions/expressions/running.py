"""The part of an evaluation that Python does: names, members, lists, macros, and the operations on values.

The library sees texts, numbers, true, false and null. Anything else stays here, and the library is handed a
ticket for it: a number as bytes, which no JSON value is. So nothing is converted, and nothing is rounded.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from passerelle.definitions.expressions.errors import Failure
from passerelle.definitions.expressions.library import cel
from passerelle.definitions.expressions.values import named, to_json
from passerelle.kit.json import Json

# The library logs a warning for each function that fails, though `a || b` may be fine with that, and with a text
# that is ours to word.
logging.getLogger("cel").setLevel(logging.CRITICAL)

MAX_ROUNDS: Final = 100_000
"""How often the macros of one evaluation run their bodies, all together."""
MAX_COLLECTED: Final = 2_000_000
"""Characters and items in the texts and lists that the macros of one evaluation collect."""
MAX_SECONDS: Final = 1.0
"""Of processor time, for one evaluation with macros."""

Operation = Callable[..., Any]
"""Gets the `Run` and the values of its operands. Raises `Failure`."""

_REASON: Final = re.compile("⟦(.*)⟧", re.DOTALL)
_NATIVE: Final = frozenset({str, bool, float, type(None)})


class Budget:
    """What the macros of one evaluation may spend."""

    def __init__(self) -> None:
        self._rounds = MAX_ROUNDS
        self._collected = MAX_COLLECTED
        self._until = math.inf

    def round(self) -> None:
        """One more run of a macro's body."""
        self._rounds -= 1
        if self._rounds < 0:
            raise Failure(f"the lists are too long: more than {MAX_ROUNDS:,} rounds in all; nest fewer macros")
        # Reading the processor's time costs as much as a small body does, so it is done now and then.
        if self._rounds % 16 == 0:
            self._check_time()

    def _check_time(self) -> None:
        now = time.thread_time()
        if self._until == math.inf:
            self._until = now + MAX_SECONDS
        elif now > self._until:
            raise Failure(f"took more than {MAX_SECONDS:g} s; the lists are too long for what is done with each item")

    def collect(self, value: Any) -> None:
        """One more item of a macro's result."""
        if isinstance(value, str | list):
            self._collected -= len(value)
            if self._collected < 0:
                raise Failure("the lists are too long: too much is collected from their items")


class Run:
    """One evaluation of one unit over `names`. `budget` is shared with the units inside it."""

    __slots__ = ("_operations", "_tickets", "budget", "names")

    def __init__(self, operations: Sequence[Operation], names: Mapping[str, Json], budget: Budget) -> None:
        self._operations = operations
        self._tickets: list[Any] = []
        self.names = names
        self.budget = budget

    def call(self, number: int, *operands: Any) -> Any:
        """What the library calls for everything that it does not do itself."""
        tickets = self._tickets
        values = [tickets[int(operand)] if type(operand) is bytes else operand for operand in operands]
        try:
            result = self._operations[number](self, *values)
        except RecursionError:
            raise Failure("a value has too many levels") from None
        if type(result) in _NATIVE or (type(result) is int and -(2**63) <= result < 2**63):
            return result
        tickets.append(result)
        return b"%d" % (len(tickets) - 1)

    def value_of(self, result: Any) -> Any:
        """The value that the library ended with."""
        return self._tickets[int(result)] if type(result) is bytes else result


@dataclass(frozen=True)
class Unit:
    """A compiled expression, or the body of a macro in one.

    program is None where the whole unit is one operation without operands, such as `steps.a.b`.
    """

    program: cel.Program | None
    operations: tuple[Operation, ...]

    def result(self, names: Mapping[str, Json]) -> Json:
        """The value as JSON. Raises `Failure`."""
        value = self.run(names, Budget())
        if self.program is None and isinstance(value, list | Mapping):
            return value  # it was only read
        try:
            return to_json(value)
        except RecursionError:
            raise Failure("the result has too many levels") from None

    def run(self, names: Mapping[str, Json], budget: Budget) -> Any:
        """The value as expressions compute with it. Raises `Failure`."""
        run = Run(self.operations, names, budget)
        try:
            if self.program is None:
                return self.operations[0](run)
            return run.value_of(self.program.execute(cel.Context({}, {"_": run.call})))
        except Failure:
            raise
        except RecursionError:
            raise Failure("a value has too many levels") from None
        except Exception as error:
            # The library wraps what an operation raises; only our own reasons are sure to show no values.
            found = _REASON.search(str(error))
            reason = found.group(1) if found else "the values do not fit what is done with them"
            raise Failure(reason) from None


def list_of(_: Run, *items: Any) -> list[Any]:
    """`[a, b]`"""
    return list(items)


def object_of(_: Run, *keys_and_values: Any) -> dict[str, Any]:
    """`{"a": b}`"""
    keys = keys_and_values[::2]
    for key in keys:
        if not isinstance(key, str):
            raise Failure(f"the name of a member must be a text, not {named(key)}")
    return dict(zip(keys, keys_and_values[1::2], strict=True))
