"""How a workspace stands, and the installation beneath it: work that waits and fails, processes, database, storage."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from passerelle.kit.clock import SharedClock
from passerelle.kit.database import Database, fetch_one
from passerelle.operations.figures import JobsOfKind, counted
from passerelle.operations.presence import Presence, Process
from passerelle.resources.files import Files, StoreState

_ORGANIZATIONS: Final = "SELECT organization_id FROM all_organizations()"
_ORGANIZATION: Final = "SELECT organization_of($1)"
_EXECUTIONS: Final = """
    SELECT e.status, count(*) AS executions FROM execution e
    WHERE e.workspace_id = $1 AND e.status IN ('AWAITING', 'FAILED') GROUP BY e.status
    UNION ALL
    SELECT e.status, count(*) FROM execution e
    WHERE e.workspace_id = $1 AND e.status = 'RUNNING' AND NOT (e.origin IN ('LINK', 'TOKEN') AND NOT EXISTS (
        SELECT FROM visit v WHERE v.workspace_id = $1 AND v.execution_id = e.id))
    GROUP BY e.status
"""
"""Those that rest and failed by an index alone: there may be hundreds of thousands."""
_STRANDED: Final = "SELECT stranded_of($1, '1 minute')"
_WEBHOOKS: Final = "SELECT * FROM webhook_counts_of($1, now())"


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The database, as it answered just now."""

    version: str
    milliseconds: float
    size: int | None
    """Bytes; None where the application may not ask."""
    pooled: bool
    replica: bool | None
    """Whether the replica is there; None where there is to be none."""


@dataclass(frozen=True, slots=True)
class Work:
    """What waits and fails, of a workspace or of all of them.

    executions   by status, of those that have not ended well
    stranded     executions that a job should stand for and none does
    """

    executions: Mapping[str, int]
    stranded: int
    webhooks: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """The whole installation."""

    database: DatabaseState
    clock_off: float
    processes: Sequence[Process]
    jobs: Sequence[JobsOfKind]
    work: Work
    files: StoreState


class Overview:
    """Asks everything that there is to ask."""

    def __init__(
        self, database: Database, clock: SharedClock, presence: Presence, files: Files, operated_by: UUID | None
    ) -> None:
        """`operated_by`: the organization that runs the installation; None for the only one."""
        self._database = database
        self._clock = clock
        self._presence = presence
        self._files = files
        self._operated_by = operated_by

    async def is_operator(self, workspace_id: UUID) -> bool:
        """Whether the workspace's organization runs the installation: only it sees what is about all others."""
        async with self._database.shared() as connection:
            own: UUID = await connection.fetchval(_ORGANIZATION, workspace_id)
            if self._operated_by is not None:
                return own == self._operated_by
            return [row["organization_id"] for row in await connection.fetch(_ORGANIZATIONS)] == [own]

    async def of(self, workspace_id: UUID) -> Work:
        """How one workspace stands."""
        async with self._database.reading(workspace_id) as connection:
            statuses = await connection.fetch(_EXECUTIONS, workspace_id)
            return Work(
                {row["status"]: row["executions"] for row in statuses},
                await connection.fetchval(_STRANDED, workspace_id),
                dict(await fetch_one(connection, _WEBHOOKS, workspace_id)),
            )

    async def workers(self) -> int:
        """How many processes run jobs now."""
        return sum(one.alive and one.kind != "serve" for one in await self._presence.processes())

    async def now(self) -> Standing:
        """How the whole installation stands."""
        async with self._database.shared() as connection:
            began = time.perf_counter()
            version = await connection.fetchval("SHOW server_version")
            took = (time.perf_counter() - began) * 1000
            found = await counted(connection)
        return Standing(
            DatabaseState(version, took, found.size, self._database.pooled, self._database.has_replica),
            self._clock.off,
            await self._presence.processes(),
            found.jobs,
            Work(found.executions, found.stranded, found.webhooks),
            await self._files.state(),
        )
