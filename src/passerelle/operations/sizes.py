"""What takes room: by kind of data and by workspace, in a time that does not grow with either.

Sizes of tables are those of their files. What a workspace has of them is estimated from the sample that PostgreSQL
takes of each table anyway (`ANALYZE`): a workspace that is too small to be in it is among the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from passerelle.kit.database import Database

KINDS: Final[Mapping[str, Sequence[str]]] = {
    "executions": (
        "execution",
        "step_run",
        "received_event",
        "stored_parameters",
        "execution_comment",
        "execution_move",
        "visitor_draft",
        "visitor_file",
    ),
    "records": ("record", "record_key", "record_unique", "record_comment", "attachment", "resource"),
    "history": ("record_change", "record_moved"),
    "events": ("event",),
    "deliveries": ("webhook_delivery", "webhook_attempt"),
    "audit": ("audit_entry",),
    "links": ("link", "link_email", "link_code", "visit", "widget_token", "handover"),
    "queue": ("pgqueuer", "pgqueuer_log", "pgqueuer_statistics", "pgqueuer_schedules"),
}
"""What is told together; every other table is `other`."""
OTHER: Final = "other"
FILES: Final = "files"
"""What is in the store, beside the database."""


@dataclass(slots=True)
class KindSize:
    """What one kind takes: bytes of tables and of their indexes, and rows, those that are dead too."""

    bytes: int = 0
    index_bytes: int = 0
    rows: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class WorkspaceSize:
    """What a workspace takes, about: bytes by kind."""

    workspace_id: UUID
    kinds: Mapping[str, int]

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class Sizes:
    """Everything. `kinds`: the largest first; `workspaces`: those that are known of, the largest first."""

    kinds: Mapping[str, KindSize] = field(default_factory=dict)
    workspaces: Sequence[WorkspaceSize] = ()


async def sizes(database: Database) -> Sizes:
    """What takes room now."""
    tables = {row["name"]: row for row in await database.ask("table_sizes")}
    shares = await database.ask("workspace_shares")
    files = await database.ask("file_sizes")
    kind_of = {table: kind for kind, names in KINDS.items() for table in names}
    kinds: defaultdict[str, KindSize] = defaultdict(KindSize)
    for name, row in tables.items():
        one = kinds[kind_of.get(name, OTHER)]
        one.bytes += row["bytes"]
        one.index_bytes += row["index_bytes"]
        one.rows += row["live_rows"]
        one.dead += row["dead_rows"]
    kinds[FILES] = KindSize(bytes=sum(row["bytes"] for row in files))
    parts: defaultdict[UUID, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in shares:
        if row["name"] in tables:
            kind = kind_of.get(row["name"], OTHER)
            parts[row["workspace_id"]][kind] += round(tables[row["name"]]["bytes"] * row["part"])
    for row in files:
        parts[row["workspace_id"]][FILES] += row["bytes"]
    workspaces = [WorkspaceSize(workspace_id, dict(found)) for workspace_id, found in parts.items()]
    return Sizes(
        dict(sorted(kinds.items(), key=lambda one: -one[1].bytes)),
        sorted(workspaces, key=lambda one: -one.bytes),
    )
