"""Dates as three fields, whose order no country can misread, and as one text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_TYPED: Final = re.compile(r"\s*(\d{1,2})\s*[./\- ]\s*(\d{1,2})\s*[./\- ]\s*(\d{4})\s*")
_LOCAL: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?")


def join_date(day: str, month: str, year: str) -> str:
    """ISO 8601 where the three make a date; else `day/month/year` as typed; empty where all are."""
    parts = [part.strip() for part in (day, month, year)]
    if not any(parts):
        return ""
    if all(part.isascii() and part.isdigit() for part in parts) and len(parts[2]) == 4:
        iso = _iso(parts[2], parts[1], parts[0])
        if iso is not None:
            return iso
    return "/".join(part.replace("/", " ") for part in parts)


def parse_date(typed: str) -> str:
    """`31.12.1980`, `31/12/1980`, `1980-12-31`: ISO 8601; anything else as it was typed."""
    text = typed.strip()
    if match := _ISO.fullmatch(text):
        return _iso(*match.groups()) or text
    if match := _TYPED.fullmatch(text):
        day, month, year = match.groups()
        return _iso(year, month, day) or text
    return text


def split_date(value: str) -> tuple[str, str, str]:
    """Day, month and year of what `join_date` made."""
    if match := _ISO.fullmatch(value):
        year, month, day = match.groups()
        return str(int(day)), str(int(month)), year
    parts = value.split("/")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else (value, "", "")


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


def _with_seconds(time: str) -> str:
    return f"{time}:00" if time.count(":") == 1 else time


def _iso(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
