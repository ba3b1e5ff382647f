"""Identifiers: UUIDv7, so that they sort by time of creation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import uuid_utils.compat

NewId = Callable[[], UUID]
"""Where ids come from; tests pass a counter."""


def new_id() -> UUID:
    """A fresh UUIDv7 as a standard `uuid.UUID`."""
    return uuid_utils.compat.uuid7()


def derived_id(moment: datetime, *facts: object) -> UUID:
    """The UUIDv7 of `moment` that follows from `facts`: what is done twice makes one thing."""
    digest = int.from_bytes(sha256(":".join(map(str, facts)).encode()).digest()[:10])
    milliseconds = int(moment.timestamp() * 1000) & (1 << 48) - 1
    high, low = digest >> 62 & 0xFFF, digest & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def first_id(moment: datetime) -> UUID:
    """The smallest UUIDv7 of `moment`: whatever was made then or later has a larger id."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80 | 0x7 << 76 | 0b10 << 62)


def parse_id(text: str) -> UUID | None:
    """The UUID that `text` spells in its usual 36 characters, or None."""
    if len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
