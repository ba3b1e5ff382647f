"""Failed sign-ins are counted, so that guessing is slow and cannot take the processor from everybody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from passerelle.accounts.errors import TOO_MANY_ATTEMPTS
from passerelle.kit.rates import Limit, Rates

_MINUTE: Final = timedelta(minutes=1)
# Not by the key alone: whoever knows a key, which is no secret, could lock out its owner.
PER_KEY_AND_ADDRESS: Final = Limit("key", 10, _MINUTE)
UNKNOWN_PER_ADDRESS: Final = Limit("unknown key", 60, _MINUTE)


class FailedAttempts:
    """Counts failed sign-ins: ten a minute for a key from one address, 60 for keys that do not exist.

    Never does the failure of one keep another out: behind an address may sit a whole company, or a balancer.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    def require_fewer(self, key: str, address: str) -> None:
        """Raises TOO_MANY_ATTEMPTS, with `Retry-After`, where this key was tried too often from this address."""
        self._require(PER_KEY_AND_ADDRESS, f"{key} {address}")

    def require_fewer_unknown(self, address: str) -> None:
        """As `require_fewer`, for a key that does not exist: there would be a new one for each attempt."""
        self._require(UNKNOWN_PER_ADDRESS, address)

    async def note(self, key: str, address: str, *, known: bool) -> None:
        """One more failed; `known`: whether the key exists."""
        await self._rates.hit(PER_KEY_AND_ADDRESS, f"{key} {address}")
        if not known:
            await self._rates.hit(UNKNOWN_PER_ADDRESS, address)

    def _require(self, limit: Limit, subject: str) -> None:
        tally = self._rates.look(limit, subject)
        if tally.full:
            raise TOO_MANY_ATTEMPTS.error(
                f"too many failed sign-ins: try again in {tally.seconds} seconds, with the right secret",
                headers={"Retry-After": str(tally.seconds)},
            )
