"""What one end user may do in a minute: more than any person does, less than a machine would."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from passerelle.end_user.session.errors import TOO_MANY_SUBMISSIONS
from passerelle.kit.rates import Limit, Rates

Action = Literal["submit", "save", "file", "check", "copy"]

_MINUTE: Final = timedelta(minutes=1)
LIMITS: Final[dict[Action, Limit]] = {
    "submit": Limit("submit", 60, _MINUTE, shared_later=True),
    "save": Limit("save", 600, _MINUTE, shared_later=True),
    "file": Limit("file", 120, _MINUTE, shared_later=True),
    "check": Limit("check", 30, _MINUTE, shared_later=True),
    "copy": Limit("copy", 10, _MINUTE, shared_later=True),
}


class Pace:
    """Counts what is done in each execution, over all processes."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    async def require(self, action: Action, execution_id: UUID) -> None:
        """One more. Raises TOO_MANY_SUBMISSIONS, with `Retry-After`."""
        tally = await self._rates.hit(LIMITS[action], str(execution_id))
        if tally.full:
            raise TOO_MANY_SUBMISSIONS.error(
                f"too much was sent at once: wait {tally.seconds} seconds and send it again; what was typed is kept",
                headers={"Retry-After": str(tally.seconds)},
            )
