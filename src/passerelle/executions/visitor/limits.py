"""What one end user may do in a minute: more than any person does, less than a machine would."""

from __future__ import annotations

import math
import time
from typing import Final, Literal
from uuid import UUID

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from passerelle.executions.visitor.errors import TOO_MANY_SUBMISSIONS

Doing = Literal["submit", "save", "file"]

_LIMITS: Final[dict[Doing, RateLimitItem]] = {
    "submit": RateLimitItemPerMinute(60),
    "save": RateLimitItemPerMinute(600),
    "file": RateLimitItemPerMinute(120),
}


class Pace:
    """Counts what is done in each execution, in this process.

    By fixed windows: of those the library forgets who has gone, of moving ones it keeps a key for ever.
    """

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def require(self, doing: Doing, execution_id: UUID) -> None:
        """One more. Raises TOO_MANY_SUBMISSIONS, with `Retry-After`."""
        limit, names = _LIMITS[doing], (doing, str(execution_id))
        if self._limiter.hit(limit, *names):
            return
        seconds = max(1, math.ceil(self._limiter.get_window_stats(limit, *names).reset_time - time.time()))
        raise TOO_MANY_SUBMISSIONS.error(
            f"too much was sent at once: wait {seconds} seconds and send it again; what was typed is kept",
            headers={"Retry-After": str(seconds)},
        )
