"""What a function takes, and the check of what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from passerelle.definitions.expressions.errors import Failure
from passerelle.definitions.expressions.running import handled
from passerelle.definitions.expressions.values import named


@dataclass(frozen=True)
class Takes:
    """The types that one operand may have, in words and in Python; no types stand for any."""

    words: str
    types: frozenset[type]
    whole: bool = False

    def __or__(self, other: Takes) -> Takes:
        return Takes(f"{self.words} or {other.words}", self.types | other.types)

    def check(self, value: Any) -> bool:
        """Whether `value` may be this operand."""
        if type(value) in self.types:
            return not self.whole or value == value // 1
        # The engine's own objects need not be of type dict.
        return not self.types or (dict in self.types and isinstance(value, Mapping))


TEXT: Final = Takes("a text", frozenset({str}))
NUMBER: Final = Takes("a number", frozenset({int, float}))
WHOLE: Final = Takes("a whole number", frozenset({int, float}), whole=True)
BOOLEAN: Final = Takes("true or false", frozenset({bool}))
LIST: Final = Takes("a list", frozenset({list}))
OBJECT: Final = Takes("an object", frozenset({dict}))
TIME: Final = Takes("a time", frozenset({datetime}))
DURATION: Final = Takes("a duration", frozenset({timedelta}))
ANYTHING: Final = Takes("anything", frozenset())


@dataclass(frozen=True)
class Function:
    """One function: what it takes, of which the last `optional` ones may be left out, and what it does."""

    name: str
    takes: tuple[Takes, ...]
    run: Callable[..., Any]
    optional: int = 0
    is_condition: bool = False

    def __call__(self, *values: Any) -> Any:
        """Checks the values' types, and runs. Raises `Failure`."""
        checked = [self._checked(at, value) for at, value in enumerate(values)]
        return self.run(*checked)

    def _checked(self, at: int, value: Any) -> Any:
        takes = self.takes[at]
        if not takes.check(value):
            which = f"value {at + 1} must be" if len(self.takes) > 1 else "takes"
            raise Failure(f"{self.name}(…): {which} {takes.words}, not {named(value)}")
        handled(value)
        return int(value) if takes.whole else value

    def wrong_count(self, count: int) -> str | None:
        """What is wrong with being given that many values."""
        most = len(self.takes)
        least = most - self.optional
        if least <= count <= most:
            return None
        wanted = str(most) if least == most else f"{least} to {most}"
        return f"{self.name}(…) takes {wanted} value{'s' if most > 1 else ''}, the one before the dot included"
