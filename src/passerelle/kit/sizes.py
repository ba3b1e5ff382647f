"""Sizes as people write them: `10MB`. As file managers count, so that a file shown as 10 MB passes a limit of 10MB."""

from __future__ import annotations

import re
from typing import Final

_BYTES: Final = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_SIZE: Final = re.compile(r"([0-9]{1,12})([A-Z]+)")


def parse_size(text: str) -> int:
    """The number of bytes that `text` says. Raises `ValueError`."""
    found = _SIZE.fullmatch(text)
    if found is None or found[2] not in _BYTES:
        raise ValueError(f"`{text}` is no size: write a number and one of {', '.join(_BYTES)}, such as 10MB")
    return int(found[1]) * _BYTES[found[2]]


def format_size(size: int) -> str:
    """As `parse_size` reads it, in the largest unit that needs no fraction."""
    unit = next(unit for unit in reversed(_BYTES) if size % _BYTES[unit] == 0)
    return f"{size // _BYTES[unit]}{unit}"
