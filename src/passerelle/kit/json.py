"""JSON values as types, and their one encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson

Json: TypeAlias = "str | int | float | bool | Mapping[str, Json] | Sequence[Json] | None"
"""Any JSON value: it has to be asked what it is."""
KnownJson: TypeAlias = Any
"""A JSON value whose shape is certain where it stands: a schema was checked, or this program wrote it."""
JsonObject = Mapping[str, KnownJson]


def dumps(value: Json) -> str:
    """Compact JSON text. Integers beyond 64 bits are refused with `TypeError`, never rounded."""
    return orjson.dumps(value).decode()


def loads(text: str | bytes) -> KnownJson:
    """A JSON text's value. Raises `ValueError` on anything that is not JSON."""
    return orjson.loads(text)
