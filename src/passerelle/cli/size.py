"""`passerelle size`: what takes room, as tables or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from passerelle.kit.json import JsonObject
from passerelle.operations.sizes import FILES, Sizes

MOST: Final = 20
"""Workspaces that are listed; JSON has all."""
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_STEP: Final = 1000


def tables(found: Sizes, workspace_id: UUID | None) -> Iterator[list[tuple[str, ...]]]:
    """What is printed: the kinds, and the largest workspaces or the parts of one."""
    if workspace_id is None:
        yield [("kind", "takes", "of it indexes", "rows, about", "dead rows"), *_kinds(found)]
        yield [("workspace", "takes, about", "most of it"), *_workspaces(found)]
        return
    one = next((one for one in found.workspaces if one.workspace_id == workspace_id), None)
    if one is None:
        yield [("the workspace is too small to be seen in what PostgreSQL samples",)]
        return
    rows = sorted(one.kinds.items(), key=lambda kind: -kind[1])
    yield [("kind", "takes, about"), *((kind, shown(size)) for kind, size in rows), ("all", shown(one.bytes))]


def as_json(found: Sizes) -> JsonObject:
    """Everything, in bytes."""
    return {
        "kinds": {
            kind: {"bytes": one.bytes, "indexBytes": one.index_bytes, "rows": one.rows, "deadRows": one.dead}
            for kind, one in found.kinds.items()
        },
        "workspaces": [
            {"workspaceId": str(one.workspace_id), "bytes": one.bytes, "kinds": dict(one.kinds)}
            for one in found.workspaces
        ],
    }


def shown(size: float) -> str:
    """Bytes in the unit that a person reads."""
    power = next((power for power in range(len(_UNITS)) if size < _STEP ** (power + 1)), len(_UNITS) - 1)
    number = size / _STEP**power
    return f"{number:.1f} {_UNITS[power]}" if power and number < 10 else f"{number:.0f} {_UNITS[power]}"


def _kinds(found: Sizes) -> Iterator[tuple[str, ...]]:
    for kind, one in found.kinds.items():
        if kind == FILES:
            yield (kind, shown(one.bytes), "", "", "")
        else:
            yield (kind, shown(one.bytes), shown(one.index_bytes), f"{one.rows:,}", f"{one.dead:,}")
    database = [one for kind, one in found.kinds.items() if kind != FILES]
    total = shown(sum(one.bytes for one in database)), shown(sum(one.index_bytes for one in database))
    yield ("all, without files", *total, "", "")


def _workspaces(found: Sizes) -> Iterator[tuple[str, ...]]:
    for one in found.workspaces[:MOST]:
        largest = sorted(one.kinds.items(), key=lambda kind: -kind[1])[:3]
        yield (str(one.workspace_id), shown(one.bytes), ", ".join(f"{kind} {shown(size)}" for kind, size in largest))
