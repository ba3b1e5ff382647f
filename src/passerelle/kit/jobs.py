"""The job queue: PgQueuer, with jobs written in our own transactions.

PgQueuer takes jobs, leases them with heartbeats and runs them. Enqueueing through it costs a statement of its
own in every transaction; the engine's commits are single statements, so they insert the job's row themselves
(`NEW_JOB`). A test inserts one and sees PgQueuer run it, so a change of its table cannot go unnoticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

import asyncpg
import structlog
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.applications import PgQueuer
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.errors import FailingListenerError, RetryRequested
from pgqueuer.models import Job, Schedule, TracebackRecord
from pgqueuer.queries import Queries
from pgqueuer.types import JOB_STATUS

from passerelle.kit.database import APP_ROLE, Database
from passerelle.kit.json import Json, loads

log = structlog.get_logger("passerelle.jobs")

NEXT_JOB_ID: Final = "SELECT nextval('pgqueuer_id_seq') AS id"
NEW_JOB: Final = "INSERT INTO pgqueuer (id, priority, entrypoint, payload, execute_after, status)"
"""Followed by a SELECT of the id, 0, the entrypoint, the payload as bytea, the time it falls due and 'queued'."""
DROP_JOB: Final = "DELETE FROM pgqueuer WHERE status = 'queued' AND id ="

TABLES: Final = ("pgqueuer", "pgqueuer_log", "pgqueuer_statistics", "pgqueuer_schedules")


@dataclass(frozen=True, slots=True)
class JobRunning:
    """A job that this process has taken."""

    id: int
    payload: Json


_WAKE_WHEN_DUE: Final = """
    CREATE OR REPLACE FUNCTION fn_pgqueuer_changed() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RETURN NULL; END $$;

    CREATE OR REPLACE FUNCTION wake_workers() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('ch_pgqueuer', json_build_object('channel', 'ch_pgqueuer', 'operation', 'insert',
            'sent_at', now(), 'table', 'pgqueuer', 'type', 'table_changed_event')::text);
        RETURN NULL;
    END $$;

    CREATE OR REPLACE TRIGGER wake_workers AFTER INSERT ON pgqueuer FOR EACH ROW
    WHEN (NEW.execute_after < now() + interval '3 seconds') EXECUTE FUNCTION wake_workers();
"""
"""Workers are woken by a job that is due before they would look again anyway.

PgQueuer's own trigger wakes every worker at every change of its table, those of the workers themselves and leased
jobs that are never due included: a run with one call cost twenty transactions that found nothing.
"""

PROBES: Final = 3
"""A notice that is not heard may have been lost; so many in a row mean that nobody listens."""
Health = TypeVar("Health")

Handler = Callable[[JobRunning], Awaitable[None]]
"""Runs one job; an exception makes the job run again later."""


async def install(connection: Any) -> None:
    """Make or upgrade the queue's own tables. Its statistics need not survive a crash: they are not logged."""
    environment = QueryBuilderEnvironment(DBSettings(durability=Durability.balanced))
    queries = Queries(AsyncpgDriver(connection), qbe=environment)
    if await queries.schema_is_installed():
        await queries.upgrade()
    else:
        await queries.install()
        await queries.optimize_autovacuum()
    await connection.execute(_WAKE_WHEN_DUE)


async def grant(connection: Any) -> None:
    """Let the application's role use the queue."""
    for table in TABLES:
        await connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")
    await connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")


class Beside(Protocol):
    """Work that every worker process does all the time, next to its jobs."""

    async def run(self) -> None:
        """Work until `stop`, or until cancelled."""

    async def stop(self) -> None:
        """Finish what is under way, and take nothing more."""


class Worker:
    """Runs jobs in this process until it is stopped.

    handlers   what to run for each entrypoint
    schedules  what to run by the clock, as cron expressions; one process of all runs each occurrence
    beside     what else to run for as long as jobs are run
    """

    HEARTBEAT: Final = timedelta(seconds=8)
    """A job whose process has been silent so long is taken over by another."""
    POLL: Final = timedelta(seconds=2)
    LOOK_AGAIN: Final = timedelta(milliseconds=20)
    """After work was found whose notice came during the look before: a hand-over waits no longer than this."""

    def __init__(
        self,
        url: str,
        handlers: Mapping[str, Handler],
        schedules: Mapping[tuple[str, str], Callable[[], Awaitable[object]]],
        *,
        beside: Sequence[Beside] = (),
        at_once: int = 64,
    ) -> None:
        self._url = url
        self._handlers = handlers
        self._schedules = schedules
        self._beside = beside
        self._at_once = at_once
        self._queuer: PgQueuer | None = None
        self._stopping = False  # PgQueuer's own sign says as much when the database is lost

    async def run(self) -> None:
        """Work until `stop`. A lost database is waited for; the jobs under way then run again."""
        beside = [asyncio.create_task(one.run()) for one in self._beside]
        try:
            while not await self._run_once():  # noqa: ASYNC110 - no event tells that the database is back
                await asyncio.sleep(1)
            await asyncio.gather(*beside)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def stop(self) -> None:
        """Take no more jobs; those under way are finished."""
        for one in self._beside:
            await one.stop()
        self._stopping = True
        if self._queuer is not None:
            self._queuer.shutdown.set()

    async def _run_once(self) -> bool:
        try:
            async with asyncpg.create_pool(
                self._url,
                min_size=2,
                max_size=4,
                server_settings={"application_name": "passerelle worker", "role": APP_ROLE},
            ) as pool:
                driver = AsyncpgPoolDriver(pool)
                await self._serve(PgQueuer(driver, queries=_Kept(driver)))
        except Exception as error:  # whatever it was: the jobs are in the database, and this goes on with them
            log.warning("worker.interrupted", error=repr(error))
        return self._stopping

    async def _serve(self, queuer: PgQueuer) -> None:
        self._queuer = queuer
        if self._stopping:
            return
        for entrypoint, handler in self._handlers.items():
            queuer.entrypoint(entrypoint)(_running(handler))
        for (name, cron), act in self._schedules.items():
            queuer.schedule(name, cron)(_on_schedule(act))
        queuer.qm.min_dequeue_poll_interval = self.LOOK_AGAIN
        # Its first probe is sent while it begins to listen, and is lost where that takes longer.
        queuer.qm.listener_healthy = asked_again(queuer.qm.listener_healthy)  # type: ignore[method-assign,assignment]
        await queuer.run(
            dequeue_timeout=self.POLL,
            batch_size=self._at_once // 2,
            max_concurrent_tasks=self._at_once,
            heartbeat_timeout=self.HEARTBEAT,
            shutdown_on_listener_failure=True,
        )


class _Kept(Queries):
    """The queue's statements, of which none ends a job that did not succeed.

    PgQueuer gives a job up whose retry it cannot write, because the database is away, and one that is under way when
    its process is stopped. Left as they are, both are taken over like those of a process that died.
    """

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        """End the jobs that succeeded."""
        succeeded = [one for one in job_status if one[1] == "successful"]
        if succeeded:
            await super().log_jobs(succeeded)


def asked_again(probe: Callable[..., Awaitable[Health]]) -> Callable[..., Awaitable[Health]]:
    """The same probe of the listener, which fails only when `PROBES` in a row are not heard within the timeout."""

    async def patient(timeout: timedelta) -> Health:  # noqa: ASYNC109 - the probe's own
        for _ in range(PROBES - 1):
            with suppress(FailingListenerError):
                return await probe(timeout=timeout / PROBES)
        return await probe(timeout=timeout / PROBES)

    return patient


def _running(handler: Handler) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        try:
            await handler(JobRunning(job.id, loads(job.payload or b"null")))
        except Exception as error:
            log.warning("job.failed", entrypoint=job.entrypoint, job=job.id, error=repr(error), exc_info=True)
            delay = timedelta(seconds=min(60, 2 ** min(job.attempts, 6)))
            raise RetryRequested(delay=delay, reason=type(error).__name__) from error

    return run


def _on_schedule(act: Callable[[], Awaitable[object]]) -> Callable[[Schedule], Awaitable[None]]:
    async def run(_: Schedule) -> None:
        await act()

    return run


class Leases:
    """Jobs that another process takes over if this one dies.

    Work that starts in the process that got the request is written as a job which falls due a few seconds
    later. While this process lives it moves that time on; when it dies, the job falls due and a worker takes it.
    """

    LENGTH: Final = timedelta(seconds=6)
    RENEWED: Final = 2.0

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: set[int] = set()

    def hold(self, job_id: int) -> None:
        """Keep this job from falling due."""
        self._held.add(job_id)

    def release(self, job_id: int) -> None:
        """Leave this job to the queue."""
        self._held.discard(job_id)

    async def keep(self) -> None:
        """Renew what is held, for as long as the process lives."""
        while True:
            await asyncio.sleep(self.RENEWED)
            if self._held:
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                    await self._renew()

    async def _renew(self) -> None:
        async with self._database.shared() as connection:
            await connection.execute(
                "UPDATE pgqueuer SET execute_after = now() + $2 WHERE id = ANY($1) AND status = 'queued'",
                list(self._held),
                self.LENGTH,
            )
