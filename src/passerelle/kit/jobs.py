"""The job queue: PgQueuer, with jobs written in our own transactions.

PgQueuer takes jobs, leases them with heartbeats and runs them. Enqueueing through it costs a statement of its
own in every transaction; the engine's commits are single statements, so they insert the job's row themselves
(`NEW_JOB`). A test inserts one and sees PgQueuer run it, so a change of its table cannot go unnoticed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any, Final, Protocol

import structlog
from pgqueuer.applications import PgQueuer
from pgqueuer.db import Driver
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job, Schedule

from passerelle.kit import tracing
from passerelle.kit.claiming import CEILING
from passerelle.kit.connections import APP_ROLE
from passerelle.kit.database import Connection, Database, Target
from passerelle.kit.json import JsonObject, KnownJson, dumps, loads
from passerelle.kit.listening import Listener
from passerelle.kit.metrics import counter, seconds
from passerelle.kit.queue_driver import FairQueries, QueueDriver, installing
from passerelle.kit.repeating import repeat

log = structlog.get_logger("passerelle.jobs")

_jobs: Final = counter(
    "jobs_run", "Jobs that this process has run: `done`, or `failed` and tried again later", "entrypoint", "outcome"
)
_job_took: Final = seconds("job_duration", "How long a job of this process took", "entrypoint")

NEXT_JOB_ID: Final = "SELECT nextval('pgqueuer_id_seq') AS id"
NEW_JOB: Final = "INSERT INTO pgqueuer (id, priority, entrypoint, payload, execute_after, status)"
"""Followed by a SELECT of the id, 0, the entrypoint, the payload as bytea, the time it falls due and 'queued'."""
_ENQUEUE: Final = f"{NEW_JOB} SELECT nextval('pgqueuer_id_seq'), 0, $1, $2, now() + $3, 'queued'"
_ENQUEUE_KNOWN: Final = f"{_ENQUEUE} RETURNING id"
_FORESTALL: Final = """
    DELETE FROM pgqueuer WHERE id = $1 AND status = 'queued' AND attempts = 0 AND execute_after > clock_timestamp()
"""
DROP_JOB: Final = "DELETE FROM pgqueuer WHERE status = 'queued' AND id ="

TABLES: Final = ("pgqueuer", "pgqueuer_log", "pgqueuer_statistics", "pgqueuer_schedules")


async def enqueue(
    connection: Connection, entrypoint: str, facts: JsonObject, *, after: timedelta = timedelta(0)
) -> None:
    """Write a job in the caller's transaction: whatever handles `entrypoint` gets `facts`, once `after` is over.

    A statement that has to do more at once begins with `NEW_JOB` instead.
    """
    await connection.execute(_ENQUEUE, entrypoint, dumps(traced(facts)).encode(), after)


async def enqueue_unless(connection: Connection, entrypoint: str, facts: JsonObject, *, after: timedelta) -> int:
    """As `enqueue`, for a job that `forestall` may take back until `after` is over. Returns its id."""
    job_id: int = await connection.fetchval(_ENQUEUE_KNOWN, entrypoint, dumps(traced(facts)).encode(), after)
    return job_id


async def forestall(connection: Connection, job_id: int) -> bool:
    """Take a job back in the caller's transaction. False where it has fallen due: it may have run, even in part.

    Which it does not tell by its status alone: one that failed, or that a stop cut off, is queued once more.
    """
    return await connection.execute(_FORESTALL, job_id) == "DELETE 1"


def traced(facts: JsonObject) -> JsonObject:
    """What a job gets, with the trace that it goes on, where there is one."""
    trace = tracing.here()
    return facts if trace is None else {**facts, "trace": trace}


@dataclass(frozen=True, slots=True)
class JobRunning:
    """A job that this process has taken."""

    id: int
    payload: KnownJson
    lost: int = 0
    """How often a process died, or was silent for too long, while it worked on it."""


AT_ONCE: Final = 256
"""Jobs that one worker has under way at once. Most of them wait for an answer from outside."""
BATCH: Final = 32
"""Jobs that are taken by one statement."""

Handler = Callable[[JobRunning], Awaitable[None]]
"""Runs one job; an exception makes the job run again later."""


async def install(connection: Any) -> None:
    """Make or upgrade the queue's own tables. Its statistics need not survive a crash: they are not logged."""
    queries = installing(connection)
    if await queries.schema_is_installed():
        await queries.upgrade()
    else:
        await queries.install()
        await queries.optimize_autovacuum()


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
    listener   who hears of new jobs in this process; without one the worker listens for itself
    beside     what else to run for as long as jobs are run
    at_once    jobs that are under way at once
    ceiling    jobs of one workspace that are, in all workers
    outside    which jobs only wait for somebody else's answer
    """

    HEARTBEAT: Final = timedelta(seconds=8)
    """A job whose process has been silent so long is taken over by another."""
    POLL: Final = timedelta(seconds=2)
    POLL_DEAF: Final = timedelta(seconds=0.5)
    """The same, where nobody can listen."""
    LOOK_AGAIN: Final = timedelta(milliseconds=20)
    """After work was found whose notice came during the look before: a hand-over waits no longer than this."""

    def __init__(
        self,
        target: Target | str,
        handlers: Mapping[str, Handler],
        schedules: Mapping[tuple[str, str], Callable[[], Awaitable[object]]],
        *,
        listener: Listener | None = None,
        beside: Sequence[Beside] = (),
        at_once: int = AT_ONCE,
        ceiling: int = CEILING,
        outside: WaitingJobs | None = None,
    ) -> None:
        self._target = target
        self._listener = listener
        self._handlers = handlers
        self._schedules = schedules
        self._beside = beside
        self._at_once = at_once
        self._ceiling = ceiling
        self._outside = outside or WaitingJobs()
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
            async with self._connected() as (database, listener):
                driver = QueueDriver(database, listener)
                queuer = PgQueuer(driver, queries=FairQueries(driver, self._ceiling))
                marking = asyncio.create_task(self._outside.keep_marking(driver))
                try:
                    await self._serve(queuer, listener)
                finally:
                    marking.cancel()
        except Exception as error:  # whatever it was: the jobs are in the database, and this goes on with them
            log.warning("worker.interrupted", error=repr(error))
        return self._stopping

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[Database, Listener]]:
        database = await Database.open(self._target, size=4, name="passerelle worker", plain_json=True)
        listener = self._listener or Listener(database.listens_at)
        listening = None if self._listener else asyncio.create_task(listener.run())
        try:
            yield database, listener
        finally:
            if listening is not None:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            await database.close()

    async def _serve(self, queuer: PgQueuer, listener: Listener) -> None:
        self._queuer = queuer
        if self._stopping:
            return
        for entrypoint, handler in self._handlers.items():
            queuer.entrypoint(entrypoint)(_running(handler))
        for (name, cron), act in self._schedules.items():
            queuer.schedule(name, cron)(_on_schedule(act))
        queuer.qm.min_dequeue_poll_interval = self.LOOK_AGAIN
        await queuer.run(
            dequeue_timeout=self.POLL if listener.listens else self.POLL_DEAF,
            batch_size=min(self._at_once // 2, BATCH),
            max_concurrent_tasks=self._at_once,
            heartbeat_timeout=self.HEARTBEAT,
        )


class WaitingJobs:
    """The jobs of this process that only wait for somebody else's answer. After a second they hold no place."""

    PATIENCE: Final = 1.0
    MOST: Final = 2_000
    """Jobs that may wait without a place; further ones keep theirs, so that no number is without an end."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._since: dict[int, float] = {}
        self._marked: frozenset[int] = frozenset()

    @contextmanager
    def waiting(self, job_id: int | None) -> Iterator[None]:
        """The block waits, under this job."""
        if job_id is None:
            yield
            return
        self._since[job_id] = self._timer()
        try:
            yield
        finally:
            self._since.pop(job_id, None)

    async def keep_marking(self, driver: Driver) -> None:
        """Write down again and again which jobs wait, where that has changed."""
        await repeat("waiting jobs", self.PATIENCE / 2, partial(self.mark, driver))

    async def mark(self, driver: Driver) -> None:
        """Write it down once."""
        late = self._timer() - self.PATIENCE
        waiting = frozenset(islice((job for job, since in self._since.items() if since <= late), self.MOST))
        changed = waiting ^ self._marked
        if changed:
            await driver.execute(
                "UPDATE pgqueuer SET outside = (id = ANY ($2)) WHERE id = ANY ($1) AND status = 'picked'",
                list(changed),
                list(waiting),
            )
            self._marked = waiting


def _running(handler: Handler) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        outcome, began = "failed", time.perf_counter()
        try:
            lost = (job.headers or {}).get("lost", 0)
            facts = loads(job.payload or b"null")
            with tracing.span(f"job {job.entrypoint}", kind="CONSUMER", parent=_trace_of(facts)):
                await handler(JobRunning(job.id, facts, lost if isinstance(lost, int) else 0))
            outcome = "done"
        except Exception as error:
            log.warning("job.failed", entrypoint=job.entrypoint, job=job.id, error=repr(error), exc_info=True)
            delay = timedelta(seconds=min(60, 2 ** min(job.attempts, 6)))
            raise RetryRequested(delay=delay, reason=type(error).__name__) from error
        finally:
            _jobs.labels(job.entrypoint, outcome).inc()
            _job_took.labels(job.entrypoint).observe(time.perf_counter() - began)

    return run


def _trace_of(facts: KnownJson) -> str | None:
    trace = facts.get("trace") if isinstance(facts, dict) else None
    return trace if isinstance(trace, str) else None


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
        await repeat("leases", self.RENEWED, self._renew)

    async def _renew(self) -> None:
        if not self._held:
            return
        async with self._database.shared() as connection:
            await connection.execute(
                "UPDATE pgqueuer SET execute_after = now() + $2 WHERE id = ANY($1) AND status = 'queued'",
                list(self._held),
                self.LENGTH,
            )
