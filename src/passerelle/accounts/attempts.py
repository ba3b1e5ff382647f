"""Failed sign-ins are counted, so that guessing is slow and cannot take the processor from everybody else."""

from __future__ import annotations

import math
import time
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from passerelle.accounts.errors import TOO_MANY_ATTEMPTS

# Not by the key alone: whoever knows a key, which is no secret, could lock out its owner.
_PER_KEY_AND_ADDRESS: Final = RateLimitItemPerMinute(10)
_PER_ADDRESS: Final = RateLimitItemPerMinute(60)


class FailedAttempts:
    """Counts failed sign-ins in this process: ten a minute for a key from one address, 60 for an address."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def require_fewer(self, key: str, address: str) -> None:
        """Raises TOO_MANY_ATTEMPTS, with `Retry-After`."""
        for limit, names in self._counters(key, address):
            if not self._limiter.test(limit, *names):
                over = self._limiter.get_window_stats(limit, *names).reset_time
                seconds = max(1, math.ceil(over - time.time()))
                raise TOO_MANY_ATTEMPTS.error(
                    f"too many failed sign-ins: try again in {seconds} seconds, with the right secret",
                    headers={"Retry-After": str(seconds)},
                )

    def note(self, key: str, address: str) -> None:
        """One more failed."""
        for limit, names in self._counters(key, address):
            self._limiter.hit(limit, *names)

    def _counters(self, key: str, address: str) -> tuple[tuple[RateLimitItem, tuple[str, ...]], ...]:
        return (_PER_KEY_AND_ADDRESS, ("key", key, address)), (_PER_ADDRESS, ("address", address))
