"""Dates as three fields, whose order no country can misread, and as one text; months by number or by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from passerelle.kit.text import number_text

Months = Mapping[str, int]
"""Numbers of months by their names, folded."""

_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_PARTS: Final = re.compile(r"\d+|[^\W\d_]+")
_LOCAL: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?")
_LONGEST: Final = 60
_FILLING: Final = frozenset({"de", "del", "of", "the", "st", "nd", "rd", "th", "er", "r", "roku", "року", "р", "г"})
"""What people write between or behind the parts: `1 de abril de 1990`, `1st April`, `1 kwietnia 1990 r.`"""


@lru_cache(maxsize=64)
def months_in(*languages: str) -> Months:
    """The names of months, long and short, in these languages and in English."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - its tables take a moment to load

    found: dict[str, int] = {}
    for language in (*languages, "en"):
        try:
            known = Locale.parse(language, sep="-").months
        except (UnknownLocaleError, ValueError):
            continue
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in known[form][width].items():
                    found.setdefault(_folded(name), number)
    return {name: number for name, number in found.items() if name and not name.isdigit()}


def join_date(day: str, month: str, year: str, months: Months) -> str:
    """ISO 8601 where the three make a date; else `day/month/year` as typed; empty where all are.

    A whole date that was put into one of the three is read as `parse_date` reads it.
    """
    parts = [part.strip() for part in (day, month, year)]
    filled = [part for part in parts if part]
    if not filled:
        return ""
    if len(filled) == 1 and _ISO.fullmatch(whole := parse_date(filled[0], months)):
        return whole
    numbers = [number_text(part).strip(" .,") for part in parts]
    numbers[1] = str(months.get(_folded(numbers[1]), numbers[1]))
    if all(part.isascii() and part.isdigit() for part in numbers) and len(numbers[2]) == 4:
        iso = _iso(numbers[2], numbers[1], numbers[0])
        if iso is not None:
            return iso
    return "/".join(part.replace("/", " ") for part in parts)


def parse_date(typed: str, months: Months) -> str:
    """`31.12.1980`, `1980-12-31`, `31 December 1980`, `December 31, 1980`: ISO 8601; anything else as it was typed."""
    text = typed.strip()
    if len(text) > _LONGEST:
        return text
    parts = [part for part in _PARTS.findall(number_text(text)) if part.casefold() not in _FILLING]
    if len(parts) != 3 or _PARTS.sub("", text).strip(" .,/-–—\u00a0\u202f"):
        return text
    if len(parts[0]) == 4:
        year, month, day = parts
    elif _folded(parts[0]) in months:
        month, day, year = parts
    else:
        day, month, year = parts
    month = str(months.get(_folded(month), month))
    if not all(part.isdigit() for part in (day, month, year)) or len(year) != 4 or len(day) > 2 or len(month) > 2:
        return text
    return _iso(year, month, day) or text


def split_date(value: str) -> tuple[str, str, str]:
    """Day, month and year of what `join_date` made."""
    if match := _ISO.fullmatch(value):
        year, month, day = match.groups()
        return str(int(day)), str(int(month)), year
    parts = value.split("/")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else (value, "", "")


def missing_part(value: str) -> str | None:
    """Which part of what `join_date` made is not there: `day`, `month` or `year`; `year_short` for a year like 90."""
    parts = split_date(value)
    if not any(parts):
        return None
    for name, part in zip(("day", "month", "year"), parts, strict=True):
        if not part.strip():
            return name
    return "year_short" if re.fullmatch(r"\d{1,3}", parts[2].strip()) else None


def join_date_time(typed: str) -> str:
    """What a browser's date and time field sends, as UTC; anything else as it was typed."""
    match = _LOCAL.fullmatch(typed.strip())
    if match is None:
        return typed.strip()
    day, time, zone = match.groups()
    return f"{day}T{_with_seconds(time)}{zone or 'Z'}"


def join_time(typed: str) -> str:
    """What a browser's time field sends, as UTC; anything else as it was typed."""
    text = typed.strip()
    return f"{_with_seconds(text)}Z" if re.fullmatch(r"\d\d:\d\d(:\d\d(\.\d+)?)?", text) else text


def without_zone(value: str) -> str:
    """As a browser's date and time fields take it, in UTC."""
    match = _LOCAL.fullmatch(value)
    if match is not None and match[3] not in (None, "Z"):
        try:
            value = datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None).isoformat()
        except ValueError:
            return value
    return value.removesuffix("Z")


def _folded(name: str) -> str:
    return name.strip(" .").casefold()


def _with_seconds(time: str) -> str:
    return f"{time}:00" if time.count(":") == 1 else time


def _iso(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
