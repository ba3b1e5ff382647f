"""Identifiers: UUIDv7, so that they sort by time of creation."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import uuid6

NewId = Callable[[], UUID]
"""Where ids come from; tests pass a counter."""


def new_id() -> UUID:
    """A fresh UUIDv7 as a standard `uuid.UUID`."""
    return UUID(int=uuid6.uuid7().int)


def parse_id(text: str) -> UUID | None:
    """The UUID that `text` spells in its usual 36 characters, or None."""
    if len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
