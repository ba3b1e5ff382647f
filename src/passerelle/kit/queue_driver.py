"""All that we take of PgQueuer beyond its documented modules, each with its reason.

- A driver of our own (`pgqueuer.db.Driver`): the queue's statements go through the same pool's wrapper as all others,
  so that they work under the application's role and through a pooler; the process listens once for everybody, and
  knows by itself when it hears nothing. PgQueuer keeps each notice until it has looked for it once, and a process
  hears of the jobs that others take: it would keep more and more, and look for each in vain.
- `Queries.dequeue`: workspaces take turns.
- `Queries.log_jobs`: a job that did not succeed is not ended.
- `DBSettings` and `QueryBuilderEnvironment`: else only the environment can say that statistics are not logged.
- The types `TaskManager` and `EntrypointExecutionParameter` are in the signatures of these hooks, and in no documented
  module.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Self

import asyncpg
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.core.tm import TaskManager
from pgqueuer.db import AsyncpgDriver, Driver
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.models import Job, TracebackRecord
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.queries import Queries
from pgqueuer.types import JOB_STATUS, QueueEntrypoint, QueueManagerId

from passerelle.kit.claiming import claim
from passerelle.kit.database import Database
from passerelle.kit.listening import Listener


class QueueDriver(Driver):
    """The queue's way to the database. `database` gives jsonb as text, which PgQueuer reads itself."""

    def __init__(self, database: Database, listener: Listener) -> None:
        self._database = database
        self._listener = listener
        self._shutdown = asyncio.Event()
        self._callbacks: list[tuple[str, Callable[[str | bytes | bytearray], None]]] = []
        self._is_told = False

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Rows as dictionaries."""
        async with self._database.shared() as connection:
            return [dict(row) for row in await connection.fetch(query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        """The command's tag."""
        async with self._database.shared() as connection:
            tag: str = await connection.execute(query, *args)
        return tag

    async def add_listener(self, channel: str, callback: Callable[[str | bytes | bytearray], None]) -> None:
        """Hear of new jobs, once between two looks; returns once they are heard of."""

        def heard(payload: str | bytes | bytearray) -> None:
            if _NEWS in str(payload):
                if self._is_told:
                    return
                self._is_told = True
            callback(payload)

        self._callbacks.append((channel, heard))
        self._listener.on(channel, heard, _nothing)
        await self._listener.until_heard(channel)

    def look(self) -> None:
        """Jobs are about to be looked for: of what is written from now on, PgQueuer has to hear."""
        self._is_told = False

    async def notify(self, channel: str, payload: str) -> None:
        """What PgQueuer tells itself, which is whether it hears: the listener sees to that, for the whole process."""
        for listened, callback in self._callbacks:
            if listened == channel:
                callback(payload)

    @property
    def shutdown(self) -> asyncio.Event:
        """Set when no more work is to be taken."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """The driver has no tasks of its own."""
        return TaskManager()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._callbacks:
            self._listener.off(*self._callbacks.pop())


def installing(connection: asyncpg.Connection) -> Queries:
    """The statements that make the queue's tables. Its statistics need not survive a crash: they are not logged."""
    environment = QueryBuilderEnvironment(DBSettings(durability=Durability.balanced))
    return Queries(AsyncpgDriver(connection), qbe=environment)


_NEWS: Final = "table_changed_event"
"""What a notice of new jobs says."""
_HAND_BACK: Final = """
    UPDATE pgqueuer SET status = 'queued', queue_manager_id = NULL, execute_after = now()
    WHERE id = ANY($1) AND status = 'picked'
"""


class FairQueries(Queries):
    """The queue's statements, by which workspaces take turns, and of which none ends a job that did not succeed.

    PgQueuer gives a job up whose retry it cannot write, because the database is away, and one that is under way when
    its process is stopped. Left as they are, both are taken over like those of a process that died.
    """

    def __init__(self, driver: QueueDriver, ceiling: int) -> None:
        super().__init__(driver)
        self._queue_driver = driver
        self._ceiling = ceiling

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Take jobs, round by round over the workspaces."""
        statement, arguments = claim(
            batch_size,
            [str(name) for name in entrypoints],
            queue_manager_id,
            global_concurrency_limit,
            heartbeat_timeout,
            self._ceiling,
        )
        self._queue_driver.look()
        rows = await self.driver.fetch(statement, *arguments)
        return [Job.model_validate({**row, "headers": {"lost": row["lost"]}}) for row in rows]

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        """End the jobs that succeeded; let others go on at once with those that a stop cut off."""
        succeeded = [one for one in job_status if one[1] == "successful"]
        if succeeded:
            await super().log_jobs(succeeded)
        if cut_off := [job.id for job, status, _ in job_status if status == "canceled"]:
            await self.driver.execute(_HAND_BACK, cut_off)


def _nothing() -> None:
    """The queue is looked at every few seconds, whatever is heard."""
