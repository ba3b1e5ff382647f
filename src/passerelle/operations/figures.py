"""Figures of the whole installation, counted once a minute by one process of all, and read by whoever is asked.

So what a scrape costs does not grow with what there is: it reads one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from passerelle.kit.database import Connection, Database
from passerelle.operations.presence import SILENT_AFTER

SCHEDULE: Final = ("figures.count", "* * * * *")

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
_PROCESSES: Final = "SELECT kind, count(*) AS processes FROM process WHERE seen_at > now() - $1::interval GROUP BY kind"
_KEEP: Final = """
    INSERT INTO installation_figures (id, counted_at, figures) VALUES (1, now(), $1)
    ON CONFLICT (id) DO UPDATE SET counted_at = excluded.counted_at, figures = excluded.figures
"""
_READ: Final = """
    SELECT figures, extract(epoch FROM now() - counted_at)::double precision AS age FROM installation_figures
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
class CountedWork:
    """What stands in the database about work, of all workspaces together.

    size   bytes of the database; None where the application may not ask
    """

    jobs: Sequence[JobsOfKind]
    executions: Mapping[str, int]
    stranded: int
    webhooks: Mapping[str, Any]
    size: int | None


async def counted(connection: Connection) -> CountedWork:
    """Count all of it now."""
    webhooks = await connection.fetchrow("SELECT * FROM webhook_counts(now())")
    executions = await connection.fetch("SELECT status, executions FROM execution_counts()")
    return CountedWork(
        [JobsOfKind(**dict(row)) for row in await connection.fetch(_JOBS)],
        {row["status"]: row["executions"] for row in executions},
        await connection.fetchval(_STRANDED),
        dict(webhooks or {}),
        await connection.fetchval(_SIZE),
    )


FIGURES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "executions": ("Executions that have not ended well", ("status",)),
    "executions_stranded": ("Executions that a job should stand for and none does", ()),
    "jobs": ("Jobs in the queue: `due`, `under_way` or `later`", ("entrypoint", "state")),
    "jobs_oldest_due_seconds": ("How long the first job that is due has waited", ("entrypoint",)),
    "webhook_deliveries_pending": ("Webhooks on their way, to endpoints that fail and that are paused as well", ()),
    "webhook_overdue_seconds": ("How long the oldest webhook has waited that could be sent now", ()),
    "webhook_endpoints_failing": ("Active endpoints whose last attempts failed", ()),
    "webhook_endpoints_disabled": ("Endpoints that were disabled", ()),
    "database_size_bytes": ("How much room the database takes", ()),
    "processes": ("Processes that have said within 20 seconds that they are there", ("kind",)),
}
"""Every figure that is counted here: what it tells, and its labels. Names are without `passerelle_`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `labels`: the values of the figure's labels, in their order."""

    name: str
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All of them. `age`: seconds since they were counted."""

    figures: Sequence[Figure]
    age: float


class Counting:
    """Counts, and gives what was counted last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self) -> None:
        """Count everything and keep it, for all processes."""
        async with self._database.shared() as connection:
            found = await counted(connection)
            kinds = await connection.fetch(_PROCESSES, SILENT_AFTER)
            processes = {row["kind"]: row["processes"] for row in kinds}
            await connection.execute(_KEEP, [list(one) for one in _figures(found, processes)])

    async def last(self) -> Figures | None:
        """What was counted last; None where nobody has counted yet."""
        async with self._database.shared() as connection:
            row = await connection.fetchrow(_READ)
        if row is None:
            return None
        known = [Figure(name, tuple(labels), value) for name, labels, value in row["figures"] if name in FIGURES]
        return Figures(known, row["age"])


def _figures(found: CountedWork, processes: Mapping[str, int]) -> Sequence[tuple[str, list[str], float]]:
    """As they are kept: name, labels, value."""
    kept: list[tuple[str, list[str], float]] = [
        ("executions", [status], found.executions.get(status, 0)) for status in ("RUNNING", "AWAITING", "FAILED")
    ]
    kept.append(("executions_stranded", [], found.stranded))
    for jobs in found.jobs:
        states = {"due": jobs.due, "under_way": jobs.under_way, "later": jobs.later}
        kept += [("jobs", [jobs.entrypoint, state], number) for state, number in states.items()]
        kept.append(("jobs_oldest_due_seconds", [jobs.entrypoint], jobs.oldest_due or 0.0))
    webhooks = found.webhooks
    kept.append(("webhook_deliveries_pending", [], webhooks["pending"]))
    kept.append(("webhook_overdue_seconds", [], webhooks["overdue_seconds"]))
    kept.append(("webhook_endpoints_failing", [], webhooks["failing"]))
    kept.append(("webhook_endpoints_disabled", [], webhooks["disabled"]))
    if found.size is not None:
        kept.append(("database_size_bytes", [], found.size))
    kept += [("processes", [kind], processes.get(kind, 0)) for kind in ("serve", "worker", "dev")]
    return kept
