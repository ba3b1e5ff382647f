"""How much work a text of somebody's may cause: counted in steps, so that the same work costs the same everywhere.

A step is about a microsecond. Whoever works on what a caller wrote spends from the meter in force (`spend`); where
none is, each evaluation has one of its own. A meter that is `here` ends work that would hold up everybody else in this
process: it is done again where it may take longer.
"""

from __future__ import annotations

import math
from contextvars import ContextVar
from typing import Final

EVALUATION_STEPS: Final = 1_000_000
"""Steps of one expression, one check of a value, or one filled-in text."""
HERE_STEPS: Final = 20_000
"""Steps that may be done between two requests, about 20 ms; what needs more is done in a process of its own."""
EXECUTION_STEPS: Final = 20_000_000
"""Steps of one execution in all, about 20 s of a processor; a retry by hand begins anew."""

KEPT_BYTES: Final = 20_000_000
"""Bytes of all outputs of one execution, as JSON: all of them are read whenever it goes on."""


class WorkError(Exception):
    """Work was not done, or not to its end, because of what it costs."""


class TooHeavyError(WorkError):
    """More than may be done between two requests: nothing has happened, and it is done again elsewhere."""


class WorkSpentError(WorkError):
    """Everything that was granted in all is spent."""


class TooMuchKeptError(WorkError):
    """What is kept of the work is more than may be kept of one execution."""


class TooCostlyError(WorkError):
    """One evaluation has spent what one may. Alone of these it is a failure of the step that needs its value."""

    def __init__(self, steps: int) -> None:
        super().__init__(
            f"takes more than {steps:,} steps of work: the lists or texts are too long for what is done with them"
            + ("; compute it in a `set` step before, which may take more" if steps < EVALUATION_STEPS else "")
        )


class Meter:
    """Counts the steps of one piece of work.

    each   steps of one evaluation
    total  steps of everything; beyond it `WorkSpentError`
    here   steps until it is too heavy to be done here; None where that does not matter
    """

    __slots__ = ("_each", "_here", "_stop", "_total", "used")

    def __init__(self, *, each: int = EVALUATION_STEPS, total: float = math.inf, here: int | None = None) -> None:
        self._each = each
        self._total = total
        self._here = math.inf if here is None else here
        self.used = 0
        self._stop = min(self._each, self._total, self._here)

    def begin(self) -> None:
        """Another evaluation begins. Raises `WorkError` where nothing is left."""
        self._stop = min(self.used + self._each, self._total, self._here)
        if self.used > self._stop:
            raise self._excess()

    def spend(self, steps: int) -> None:
        """Some more steps. Raises `TooHeavyError`, `WorkSpentError` or `TooCostlyError`."""
        self.used += steps
        if self.used > self._stop:
            raise self._excess()

    @property
    def half_used(self) -> bool:
        """Whether it is time to put down what has come of the work so far: half of what may be done at once is."""
        return self.used > min(self._each, self._here) / 2

    def _excess(self) -> WorkError:
        if self.used > self._here:
            return TooHeavyError()
        return WorkSpentError() if self.used > self._total else TooCostlyError(self._each)


_METER: Final[ContextVar[Meter | None]] = ContextVar("meter", default=None)


def current() -> Meter | None:
    """The meter in force."""
    return _METER.get()


def spend(steps: int) -> None:
    """Some steps of the meter in force, if there is one. Raises as `Meter.spend`."""
    meter = _METER.get()
    if meter is not None:
        meter.spend(steps)


class metered:  # noqa: N801 - stands in `with`, for each evaluation
    """Everything inside spends from `meter`."""

    __slots__ = ("_meter", "_token")

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def __enter__(self) -> Meter:
        self._token = _METER.set(self._meter)
        return self._meter

    def __exit__(self, *_: object) -> None:
        _METER.reset(self._token)
