"""JSON values as types, and their one encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

Json = Any
"""A JSON value. `Any`, because a recursive type would need a cast at every look inside."""
JsonObject = Mapping[str, Any]
JsonArray = Sequence[Any]


def dumps(value: Json) -> str:
    """Compact JSON text. Integers beyond 64 bits are refused with `TypeError`, never rounded."""
    return orjson.dumps(value).decode()


def loads(text: str | bytes) -> Json:
    """A JSON text's value. Raises `ValueError` on anything that is not JSON."""
    return orjson.loads(text)
