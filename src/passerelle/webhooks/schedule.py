"""When a delivery is tried again. Pure: times come in, times go out.

Given: five retries, five seconds apart. Then ever longer pauses, up to three days after the first try.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

QUICK_TRIES: Final = 6
"""The first try and the given five retries. So long a delivery holds up those behind it of the same execution."""
QUICK_PAUSE: Final = timedelta(seconds=5)
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=12)
TOTAL: Final = timedelta(days=3)
LONGEST_ASKED: Final = timedelta(days=1)
"""More than this no `Retry-After` delays a delivery."""


def pause_after(tries: int) -> timedelta | None:
    """How long to wait after so many failed tries, or None where it was the last one."""
    if tries < QUICK_TRIES:
        return QUICK_PAUSE
    pause = _doubled(tries)
    before = (QUICK_TRIES - 1) * QUICK_PAUSE + sum((_doubled(n) for n in range(QUICK_TRIES, tries)), timedelta())
    left = TOTAL - before
    return min(pause, left) if left > timedelta() else None


def next_attempt(tries: int, now: datetime, asked: timedelta | None) -> datetime | None:
    """When to try again after the `tries`th try failed now; `asked` is what the other side wants us to wait."""
    pause = pause_after(tries)
    if pause is None:
        return None
    return now + max(pause, min(asked or timedelta(), LONGEST_ASKED))


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """A `Retry-After` header's time (RFC 9110, 10.2.3); None where it is absent or says nothing."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), int(LONGEST_ASKED.total_seconds())))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta())


def _doubled(tries: int) -> timedelta:
    # Beyond some doublings it is the longest pause anyway, and timedeltas end.
    doublings: int = 2 ** min(tries - QUICK_TRIES, 16)
    return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)
