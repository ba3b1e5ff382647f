"""What a process remembers of the database's state. Nothing is remembered without an end.

Another process may change what this one remembers. It is told so (the database sends `CHANNEL` a topic and a
workspace with every change), and looks for itself after a few seconds, for word may be lost. What may not be
wrong even for that long is compared by the database in the statement that writes, and a refusal is never told on the
ground of what is remembered: it is read anew first.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar
from uuid import UUID

CHANNEL: Final = "passerelle_changes"
"""Its messages are a topic, a space and a workspace."""
AGE: Final = 3.0
"""Seconds after which a value is read again, whether or not anybody said that it has changed."""

Key = TypeVar("Key")
Value = TypeVar("Value")
Timer = Callable[[], float]
"""Counts seconds, from wherever; tests move it by hand."""


class Remembered(Generic[Key, Value]):
    """Values by key, the least recently read of which go when there are more than `size`.

    workspace_of   whose a value is: a change in that workspace forgets it
    """

    def __init__(self, size: int, workspace_of: Callable[[Key, Value], UUID], age: float, timer: Timer) -> None:
        self._size = size
        self._workspace_of = workspace_of
        self._age = age
        self._timer = timer
        self._kept: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._changes = 0

    def find(self, key: Key) -> Value | None:
        """What is remembered, unless it is too old."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and self._timer() < kept[0] else None

    async def get(self, key: Key, read: Callable[[], Awaitable[Value]]) -> Value:
        """What is remembered, or else what `read` finds. Nothing is remembered where that raises."""
        found = self.find(key)
        return found if found is not None else await self.read(key, read)

    async def read(self, key: Key, read: Callable[[], Awaitable[Value]]) -> Value:
        """What `read` finds, remembered from now on."""
        changes, now = self._changes, self._timer()
        value = await read()
        if changes == self._changes:  # else it may be what was there before the change
            self._kept.pop(key, None)
            while len(self._kept) >= self._size:
                self._kept.popitem(last=False)
            self._kept[key] = (now + self._age, value)
        return value

    def values(self) -> list[Value]:
        """Everything that is remembered and not too old."""
        now = self._timer()
        return [value for until, value in self._kept.values() if now < until]

    def forget(self, workspace_id: UUID) -> None:
        """Read everything of this workspace again."""
        self._changes += 1
        gone = [key for key, kept in self._kept.items() if self._workspace_of(key, kept[1]) == workspace_id]
        for key in gone:
            del self._kept[key]

    def forget_all(self) -> None:
        """Read everything again."""
        self._changes += 1
        self._kept.clear()


class Memory:
    """Everything that this process remembers, by the topics that it is told of."""

    def __init__(self, timer: Timer = time.monotonic) -> None:
        self._timer = timer
        self._topics: dict[str, list[Remembered[object, object]]] = {}

    def of(
        self, topics: tuple[str, ...], workspace_of: Callable[[Key, Value], UUID], *, size: int, age: float = AGE
    ) -> Remembered[Key, Value]:
        """A place to remember what one of `topics` may change."""
        made = Remembered(size, workspace_of, age, self._timer)
        for topic in topics:
            self._topics.setdefault(topic, []).append(made)  # type: ignore[arg-type]
        return made

    def hear(self, message: str) -> None:
        """Something has changed, as `CHANNEL` says."""
        topic, _, workspace = message.partition(" ")
        for remembered in self._topics.get(topic, ()):
            remembered.forget(UUID(workspace))

    def forget_all(self) -> None:
        """Read everything again: word may have been missed."""
        for told in self._topics.values():
            for remembered in told:
                remembered.forget_all()
