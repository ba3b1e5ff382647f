"""When a server that died is started again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DELAYS: Final = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before the first and each further start in a row; the last one for all that follow."""

STEADY: Final = 30.0
"""A server that lived this many seconds was well: what follows is a new trouble."""

ATTEMPTS: Final = 8
"""Starts in a row that may fail. A server that starts is never given up, however often it is killed."""


@dataclass(slots=True)
class Restarts:
    """Counts what went wrong in a row."""

    deaths: int = 0
    failed_starts: int = 0

    def delay(self, lived: float | None) -> float | None:
        """Seconds until the next start, or None to give up.

        `lived` is for how many seconds the server was ready; None when its start failed.
        """
        if lived is None:
            self.failed_starts += 1
        else:
            self.failed_starts = 0
            if lived >= STEADY:
                self.deaths = 0
        if self.failed_starts == ATTEMPTS:
            return None
        self.deaths += 1
        return DELAYS[min(self.deaths, len(DELAYS)) - 1]
