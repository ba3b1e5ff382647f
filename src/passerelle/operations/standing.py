"""What stands in the database about work that waits and fails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from passerelle.kit.clock import SharedClock
from passerelle.kit.database import Database
from passerelle.operations.presence import Presence, Process
from passerelle.resources.files import Files, StoreState

# Jobs whose lease their own process keeps moving on are due a few seconds later: they are no work that waits.
_JOBS: Final = """
    SELECT entrypoint, count(*) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS due,
           count(*) FILTER (WHERE status = 'picked') AS under_way,
           count(*) FILTER (WHERE status = 'queued' AND execute_after > now()) AS later,
           count(*) FILTER (WHERE attempts > 0) AS tried_again,
           extract(epoch FROM now() - min(execute_after) FILTER (WHERE status = 'queued' AND execute_after <= now()))
               ::double precision AS oldest_due
    FROM pgqueuer WHERE status IN ('queued', 'picked') GROUP BY entrypoint ORDER BY entrypoint
"""
_SIZE: Final = """
    SELECT CASE WHEN has_database_privilege(current_database(), 'CONNECT')
        THEN pg_database_size(current_database()) END
"""
_STRANDED: Final = """
    SELECT count(*) FROM (
        SELECT id FROM stranded_executions('1 minute', 1000)
        UNION ALL SELECT id FROM stranded_children('1 minute', 1000)
    ) lost
"""


@dataclass(frozen=True, slots=True)
class JobsOfKind:
    """The jobs of one kind. `oldest_due`: seconds that the first of those that are due has waited."""

    entrypoint: str
    due: int
    under_way: int
    later: int
    tried_again: int
    oldest_due: float | None


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
class Standing:
    """Everything."""

    database: DatabaseState
    clock_off: float
    processes: Sequence[Process]
    jobs: Sequence[JobsOfKind]
    stranded: int
    executions: dict[str, int]
    webhooks: dict[str, Any]
    files: StoreState


class Overview:
    """Asks everything that there is to ask."""

    def __init__(self, database: Database, clock: SharedClock, presence: Presence, files: Files) -> None:
        self._database = database
        self._clock = clock
        self._presence = presence
        self._files = files

    async def now(self) -> Standing:
        """How the whole installation stands."""
        async with self._database.shared() as connection:
            began = time.perf_counter()
            version = await connection.fetchval("SHOW server_version")
            took = (time.perf_counter() - began) * 1000
            size = await connection.fetchval(_SIZE)
            jobs = await connection.fetch(_JOBS)
            stranded = await connection.fetchval(_STRANDED)
            executions = await connection.fetch("SELECT status, executions FROM execution_counts()")
            webhooks = await connection.fetchrow("SELECT * FROM webhook_counts(now())")
        return Standing(
            DatabaseState(version, took, size, self._database.pooled, self._database.has_replica),
            self._clock.off,
            await self._presence.processes(),
            [JobsOfKind(**row) for row in jobs],
            stranded,
            {row["status"]: row["executions"] for row in executions},
            dict(webhooks or {}),
            await self._files.state(),
        )
