"""What one end user may do in a minute: more than any person does, less than a machine would."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal
from uuid import UUID

from passerelle.executions.visitor.errors import TOO_MANY_SUBMISSIONS

Doing = Literal["submit", "save", "file"]

_MOST: Final[dict[Doing, int]] = {"submit": 60, "save": 600, "file": 120}
_MINUTE: Final = 60.0


class Pace:
    """Counts what is done in each execution, in this process. `timer` counts seconds.

    Every keystroke asks, so it costs the same however many end users there are. (The store of the `limits` library
    keeps a key for ever, and walks through all of them in a thread each time.)
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._moments: dict[tuple[Doing, UUID], deque[float]] = {}
        """Of the last minute; whoever did something most recently stands last."""

    def require(self, doing: Doing, execution_id: UUID) -> None:
        """One more. Raises TOO_MANY_SUBMISSIONS, with `Retry-After`."""
        now, key = self._timer(), (doing, execution_id)
        moments = self._moments.pop(key, None) or deque()
        while moments and moments[0] <= now - _MINUTE:
            moments.popleft()
        self._moments[key] = moments
        if len(moments) >= _MOST[doing]:
            seconds = max(1, math.ceil(moments[0] + _MINUTE - now))
            raise TOO_MANY_SUBMISSIONS.error(
                f"too much was sent at once: wait {seconds} seconds and send it again; what was typed is kept",
                headers={"Retry-After": str(seconds)},
            )
        moments.append(now)
        self._forget(now - _MINUTE)

    def _forget(self, before: float) -> None:
        while self._moments:
            key, moments = next(iter(self._moments.items()))
            if moments[-1] > before:
                return
            del self._moments[key]
