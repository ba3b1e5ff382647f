"""Stretches of time as people write them.

`tue 09:00-10:00` every Tuesday, `daily 12:00-12:15`, `2026-12-01T09:00Z/2026-12-01T10:30Z` once; several with commas.
Weekly and daily times are in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_WEEKLY: Final = re.compile(r"(daily|mon|tue|wed|thu|fri|sat|sun) +([0-9]{2}:[0-9]{2}) *- *([0-9]{2}:[0-9]{2})", re.I)
_AHEAD: Final = 8
"""Days within which every weekly time comes again."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """A time of a weekday, or of every day (None)."""

    weekday: int | None
    begins: time
    ends: time

    def spans(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The next times, today's included."""
        for ahead in range(_AHEAD):
            day = (now + timedelta(days=ahead)).date()
            if self.weekday in (None, day.weekday()):
                yield datetime.combine(day, self.begins, UTC), datetime.combine(day, self.ends, UTC)


@dataclass(frozen=True, slots=True)
class Once:
    """One stretch of time."""

    begins: datetime
    ends: datetime

    def spans(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretch."""
        yield self.begins, self.ends


@lru_cache(maxsize=256)
def parse_timetable(text: str) -> tuple[Recurring | Once, ...]:
    """Raises `ValueError` with a sentence for the first part that is not right."""
    return tuple(_parse(part.strip()) for part in text.split(",") if part.strip())


def end_of_present(text: str, now: datetime) -> datetime | None:
    """When the stretch ends that `now` lies in; None outside of any."""
    spans = (span for part in parse_timetable(text) for span in part.spans(now))
    return max((ends for begins, ends in spans if begins <= now < ends), default=None)


def present_or_next(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The stretch that `now` lies in, else the next one."""
    spans = (span for part in parse_timetable(text) for span in part.spans(now))
    return min((span for span in spans if now < span[1]), default=None)


def _parse(part: str) -> Recurring | Once:
    weekly = _WEEKLY.fullmatch(part)
    try:
        if weekly is not None:
            day = weekly[1].lower()
            found: Recurring | Once = Recurring(
                None if day == "daily" else DAYS.index(day),
                time.fromisoformat(weekly[2]),
                time.fromisoformat(weekly[3]),
            )
        else:
            begins, ends = (_moment(moment) for moment in part.split("/"))
            found = Once(begins, ends)
    except ValueError:
        raise ValueError(
            f"`{part}` is no stretch of time: write `tue 09:00-10:00`, `daily 12:00-12:15` or "
            "`2026-12-01T09:00Z/2026-12-01T10:00Z`"
        ) from None
    if found.ends <= found.begins:  # type: ignore[operator] # both are times, or both are moments
        raise ValueError(f"`{part}` ends before it begins: write two times where it goes on over midnight")
    return found


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)
