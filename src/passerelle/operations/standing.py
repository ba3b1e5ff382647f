"""What stands in the database about work that waits and fails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from passerelle.kit.clock import SharedClock
from passerelle.kit.database import Database
from passerelle.operations.figures import JobsOfKind, counted
from passerelle.operations.presence import Presence, Process
from passerelle.resources.files import Files, StoreState


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
            found = await counted(connection)
        return Standing(
            DatabaseState(version, took, found.size, self._database.pooled, self._database.has_replica),
            self._clock.off,
            await self._presence.processes(),
            found.jobs,
            found.stranded,
            dict(found.executions),
            dict(found.webhooks),
            await self._files.state(),
        )
