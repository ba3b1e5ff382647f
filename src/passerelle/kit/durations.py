"""Lengths of time as people write them: `10s`, `30m`, `2d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_LONGEST: Final = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """`text` as a length of time. Raises `ValueError` with a sentence that says how to write one."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no length of time: write a number and ms, s, m, h or d, such as 30m")
    seconds = float(match.group(1)) * _UNITS[match.group(2)]
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"{text!r} is longer than ten years")
    return timedelta(seconds=seconds)


def format_duration(length: timedelta) -> str:
    """The shortest way to write `length`, for messages."""
    seconds = length.total_seconds()
    for unit in ("d", "h", "m", "s"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:g}{unit}"
    return f"{seconds:g}s"
