"""Chains of members, `steps.registry.body[0].age`: read in Python, so that a missing part can be named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from passerelle.definitions.expressions.errors import Failure
from passerelle.definitions.expressions.running import Operation
from passerelle.definitions.expressions.values import is_number, named
from passerelle.definitions.words import nearest

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

COMPUTED: Final = None
"""Stands in a chain for a key that is known only while the expression runs."""
Key = str | int | None


_ABSENT: Final = {
    "record": "this run has no record: start it with a recordId, or let a step write one before it is read",
    "case": "this run has no case: start it with a caseId",
}
"""What is said of names that some executions have and others do not."""


@dataclass(frozen=True)
class MemberPath:
    """A chain as its author wrote it. It starts at the name `root`, or, where that is None, at a computed value."""

    root: str | None
    keys: tuple[Key, ...]

    def __str__(self) -> str:
        return _written(self.root, self.keys)

    def reading(self, operands: Sequence[Operation]) -> Operation:
        """The chain's value. Operands: the value it starts at, if that is computed, then the computed keys."""
        return self._walking(self._read, operands)

    def presence(self, operands: Sequence[Operation]) -> Operation:
        """Whether every part of the chain is there, for `has(…)`. Operands as above."""
        return self._walking(is_there, operands)

    def _walking(self, walk: Callable[[Any, tuple[Any, ...]], Any], operands: Sequence[Operation]) -> Operation:
        if self.root is None:
            start, *computed = operands
            return lambda run: walk(start(run), self._filled([key(run) for key in computed]))
        if operands:
            return lambda run: walk(run.names, (self.root, *self._filled([key(run) for key in operands])))
        path = (self.root, *self.keys)
        return lambda run: walk(run.names, path)

    def _filled(self, computed: Sequence[Any]) -> tuple[Any, ...]:
        values = iter(computed)
        return tuple(next(values) if key is COMPUTED else key for key in self.keys)

    def _read(self, start: Any, path: tuple[Any, ...]) -> Any:
        value = start
        try:
            for key in path:
                value = value[key] if type(value) is dict else _member(value, key)
        except (LookupError, TypeError):
            raise Failure(f"{self}: {self._why_missing(start, path)}") from None
        return value

    def _why_missing(self, start: Any, path: tuple[Any, ...]) -> str:
        """What was there instead. Neither values nor computed keys are shown."""
        there = next(count for count in range(len(path), -1, -1) if is_there(start, path[:count]))
        value = start
        for key in path[:there]:
            value = _member(value, key)
        if self.root is None:
            return _instead(value, self.keys[there], _written(None, self.keys[:there]))
        if there == 0:
            return _ABSENT.get(self.root, f"nothing is called {self.root} here")
        return _instead(value, self.keys[there - 1], _written(self.root, self.keys[: there - 1]))


def is_there(value: Any, path: tuple[Any, ...]) -> bool:
    """Whether `path` leads somewhere from `value`, if only to null."""
    try:
        for key in path:
            value = _member(value, key)
    except (LookupError, TypeError):
        return False
    return True


def _member(value: Any, key: Any) -> Any:
    """One step. Raises `LookupError` where it leads nowhere."""
    if isinstance(value, Mapping) and isinstance(key, str):
        return value[key]
    if isinstance(value, list) and is_number(key) and 0 <= key < len(value) and key == int(key):
        return value[int(key)]
    raise LookupError


def _instead(value: Any, key: Key, before: str) -> str:
    """Why `value`, which stands at `before`, has no `key`."""
    if isinstance(value, Mapping):
        return _no_such_member(value, key, before)
    if not isinstance(value, list):
        return f"{before} is {named(value)}, so there is nothing inside it"
    if isinstance(key, str):
        return f"{before} is a list; take one of its items first, such as {before}[0]"
    return f"the length of {before} is {len(value)}, and its first item is [0]"


def _no_such_member(value: Mapping[str, Any], key: Key, before: str) -> str:
    if before == "steps" and isinstance(key, str):
        return f'step "{key}" has no output (it did not run)'
    if not isinstance(key, str):
        return f"{before} is an object, and has no member of that name"
    # Other names may be personal data; only one that the author nearly wrote, and could have, is shown.
    near = nearest(key, (name for name in value if _WORD.fullmatch(name)))
    return "no such member" + (f"; did you mean {near}?" if near else "")


def _written(root: str | None, keys: tuple[Key, ...]) -> str:
    return (root or "(…)") + "".join(map(_written_key, keys))


def _written_key(key: Key) -> str:
    if isinstance(key, str):
        return f".{key}" if _WORD.fullmatch(key) else f'["{key}"]'
    return "[…]" if key is COMPUTED else f"[{key}]"
