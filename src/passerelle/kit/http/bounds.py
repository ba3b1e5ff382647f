"""Numbers and times that a request may carry: no more than the database can hold."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, Field

Number32 = Annotated[int, Field(ge=1, lt=2**31)]
"""A number that counts: of a revision, of a version."""

_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
_CALENDAR: Final = "must lie between the years 1900 and 9000"


def _time(value: datetime) -> datetime:
    # A zone moves a time across the calendar's ends: no arithmetic may be done with those.
    if not _EARLIEST.year <= value.year < _LATEST.year:
        raise ValueError(_CALENDAR)
    return value


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def _day(value: date) -> date:
    if not _EARLIEST.year <= value.year < _LATEST.year:
        raise ValueError(_CALENDAR)
    return value


Time = Annotated[AwareDatetime, AfterValidator(_time)]
"""A time with its zone, in a body."""
AnyTime = Annotated[datetime, AfterValidator(_time), AfterValidator(_aware)]
"""A time in an address; without a zone it is UTC."""
Day = Annotated[date, AfterValidator(_day)]
"""A day of the calendar."""
