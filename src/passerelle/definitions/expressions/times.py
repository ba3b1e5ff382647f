"""CEL's functions on times and durations: `datetime` in UTC, and `timedelta`, both to the microsecond."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from passerelle.definitions.expressions.errors import Failure

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d))?", re.ASCII)
_DURATION: Final = re.compile(r"[+-]?(?:\d+(?:\.\d+)?(?:d|h|ms|m|s|us|µs|ns))+|0", re.ASCII)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(d|h|ms|m|s|us|µs|ns)", re.ASCII)
_MICROSECONDS: Final = {
    "d": 86_400e6,
    "h": 3_600e6,
    "m": 60e6,
    "s": 1e6,
    "ms": 1e3,
    "us": 1.0,
    "µs": 1.0,
    "ns": 1e-3,
}


def timestamp(value: str | int | float | datetime) -> datetime:
    """A time from RFC 3339 text, from a date (its start in UTC), or from seconds since 1970."""
    if isinstance(value, datetime):
        return value
    try:
        if not isinstance(value, str):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
        if _TIME.fullmatch(value):
            parsed = datetime.fromisoformat(value.upper())
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Failure("timestamp(…): not a time such as 2026-01-05T09:00:00Z or a date such as 2026-01-05")


def duration(value: str | timedelta) -> timedelta:
    """A duration from text such as `1h30m`, `2.5s`, `-10m`; beyond CEL's units there is `d`, 24 hours."""
    if isinstance(value, timedelta):
        return value
    if not _DURATION.fullmatch(value):
        raise Failure("duration(…): not a duration such as 2d, 1h30m or 2.5s")
    try:
        length = timedelta(microseconds=sum(float(n) * _MICROSECONDS[unit] for n, unit in _PART.findall(value)))
    except OverflowError:
        raise Failure("duration(…): longer than a duration can be") from None
    return -length if value.startswith("-") else length


def part_of_time(read: Callable[[datetime], int]) -> Callable[..., int]:
    """A getter such as `getHours()`, in UTC or in the time zone that it is given."""

    def get(time: datetime, zone: str = "UTC") -> int:
        try:
            return read(time.astimezone(_zone(zone)))
        except OverflowError:
            raise Failure("a time is before the year 1 or after the year 9999") from None

    return get


_OFFSET: Final = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)


def _zone(name: str) -> tzinfo:
    offset = _OFFSET.fullmatch(name)
    try:
        if offset is None:
            return ZoneInfo(name)
        hours, minutes = int(offset[2]), int(offset[3])
        parsed = datetime.fromisoformat(f"2000-01-01T00:00{offset[1] or '+'}{hours:02}:{minutes:02}").tzinfo
    except (LookupError, ValueError, OSError):
        parsed = None
    if parsed is None:
        raise Failure("not a time zone such as Europe/Warsaw or +01:00")
    return parsed


def whole(value: timedelta, unit: timedelta) -> int:
    """How many whole units a duration has, without its sign's rounding: -90 s are -1 minute."""
    count = abs(value) // unit
    return -count if value < timedelta() else count


TIME_PARTS: Final[dict[str, Callable[[datetime], int]]] = {
    "getFullYear": lambda time: time.year,
    "getMonth": lambda time: time.month - 1,
    "getDate": lambda time: time.day,
    "getDayOfMonth": lambda time: time.day - 1,
    "getDayOfWeek": lambda time: time.isoweekday() % 7,
    "getDayOfYear": lambda time: time.timetuple().tm_yday - 1,
    "getHours": lambda time: time.hour,
    "getMinutes": lambda time: time.minute,
    "getSeconds": lambda time: time.second,
    "getMilliseconds": lambda time: time.microsecond // 1000,
}
DURATION_PARTS: Final[dict[str, Callable[[timedelta], int]]] = {
    "getHours": lambda length: whole(length, timedelta(hours=1)),
    "getMinutes": lambda length: whole(length, timedelta(minutes=1)),
    "getSeconds": lambda length: whole(length, timedelta(seconds=1)),
    "getMilliseconds": lambda length: whole(length, timedelta(milliseconds=1)) % 1000,
}
