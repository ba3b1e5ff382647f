"""`Retry-After`: how long another side asks us to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = timedelta(days=1)
"""No more than this is waited, whatever is asked."""


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """The time of the header, at most a day; None where it is absent or says nothing.

    Seconds, or a date in any of the three forms that receivers must know (RFC 9110, 10.2.3 and 5.6.7), which are all
    in GMT. Of a header that came twice the first counts.
    """
    text = (header or "").strip()
    first = text.partition(",")[0].strip()
    if first.isascii() and first.isdigit():
        return LONGEST if len(first.lstrip("0")) > 9 else min(timedelta(seconds=int(first)), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
        waited = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return min(max(waited, timedelta()), LONGEST)
