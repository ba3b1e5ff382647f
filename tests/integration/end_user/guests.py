"""A workspace with the end user's part of executions, on a real database, with a clock moved by hand."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from passerelle.definitions.facts import KnownFacts
from passerelle.definitions.revisions.repository import RevisionRepository
from passerelle.definitions.revisions.service import Revisions
from passerelle.end_user.session.files import FORGET_JOB
from passerelle.end_user.session.models import Screen
from passerelle.end_user.session.service import EndUserSessions
from passerelle.end_user.session.services import end_user_sessions
from passerelle.engine.registry import load_kinds
from passerelle.engine.runner import Runner
from passerelle.engine.store import Store
from passerelle.kit.clock import MovedClock, system_clock
from passerelle.kit.database import Database
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import new_id
from passerelle.kit.jobs import JobRunning, Leases
from passerelle.kit.json import loads
from passerelle.kit.listening import Listener
from passerelle.kit.secrets import SecretBox
from passerelle.kit.workshop import Workshop
from passerelle.records.parts import RecordServices, record_parts
from passerelle.resources.files import Files
from passerelle.resources.opening import MEMORY, Opener
from passerelle.workflows.repository import ExecutionRepository
from passerelle.workflows.service import Executions, StartRequest

BOX = SecretBox(["a-key-for-tests-of-thirty-two-characters"])


class NoSecrets:
    async def values(self, workspace_id: UUID) -> dict[str, str]:
        return {}

    def seal(self, plain: str) -> str:
        return plain

    def unseal(self, sealed: str) -> str:
        return sealed


@dataclass
class House:
    """One workspace."""

    database: Database
    workspace_id: UUID
    clock: MovedClock
    revisions: Revisions
    runner: Runner
    executions: Executions
    sessions: EndUserSessions
    records: RecordServices

    async def forgotten(self) -> None:
        """Do what the jobs do that delete files which were taken back."""
        async with self.database.shared() as connection:
            jobs = await connection.fetch(
                "DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING id, payload", FORGET_JOB
            )
        for job in jobs:
            await self.sessions.jobs()[FORGET_JOB](JobRunning(job["id"], loads(job["payload"])))

    async def start(self, text: str, **given: Any) -> UUID:
        """Publish a definition and start it."""
        stored = (await self.revisions.push(self.workspace_id, text, by="test", publish=True)).stored
        started = await self.executions.start(self.workspace_id, StartRequest(new_id(), stored.definition_id, **given))
        return started.id

    async def screen(self, execution: UUID) -> Screen:
        return await self.sessions.screen(self.workspace_id, execution)

    async def submit(self, execution: UUID, step: str, values: Any = None, visit: int = 1) -> Screen:
        return await self.sessions.submit(self.workspace_id, execution, step, visit, values or {})

    async def save(self, execution: UUID, step: str, values: Any, visit: int = 1) -> None:
        await self.sessions.save(self.workspace_id, execution, step, visit, values)

    async def send(self, execution: UUID, step: str, name: str, content: bytes, visit: int = 1, **more: Any) -> Any:
        return await self.sessions.add_file(self.workspace_id, execution, step, visit, name, chunks(content), **more)

    async def back(self, execution: UUID) -> Screen:
        return await self.sessions.back(self.workspace_id, execution)

    async def rows(self, query: str, *values: Any) -> list[Any]:
        async with self.database.workspace(self.workspace_id) as connection:
            return list(await connection.fetch(query, *values))

    async def value(self, query: str, *values: Any) -> Any:
        async with self.database.workspace(self.workspace_id) as connection:
            return await connection.fetchval(query, *values)

    async def events(self, execution: UUID) -> list[str]:
        rows = await self.rows("SELECT type FROM event WHERE data ->> 'workflowId' = $1 ORDER BY id", str(execution))
        return [row["type"] for row in rows]

    async def due(self, execution: UUID, moved: timedelta) -> None:
        """Let time pass, and a worker do what is due then."""
        self.clock.move(moved)
        job = await self.value("SELECT job_id FROM execution WHERE id = $1", execution)
        if job is not None:
            await self.runner.resume(self.workspace_id, execution, job)


async def chunks(content: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """A body as it comes in."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


@cache
def opener() -> Opener:
    """One process that opens files, for all tests."""
    workshop = Workshop(memory=MEMORY)
    atexit.register(workshop.close)
    return Opener(workshop)


@asynccontextmanager
async def house(database: Database, url: str, workspace_id: UUID, files: Files | None = None) -> AsyncIterator[House]:
    """Everything that the end user's part needs."""
    clock = MovedClock(system_clock())
    records = record_parts(
        database,
        Cursors(BOX),
        clock,
        new_id,
        files=files or Files.in_memory(),
        box=BOX,
        public_url=None,
        opener=opener(),
    )

    async def facts(workspace_id: UUID) -> KnownFacts:
        return KnownFacts(tables=await records.tables.field_names(workspace_id))

    revisions = Revisions(RevisionRepository(database, new_id), load_kinds(), facts)
    leases = Leases(database)
    outgoing: Any = None
    runner = Runner(Store(database, new_id), revisions, NoSecrets(), outgoing, leases, clock, records=records.steps)
    repository = ExecutionRepository(database, new_id)
    executions = Executions(runner, revisions, repository, records, clock, new_id, timedelta(seconds=2))
    listener = Listener(url)
    sessions = end_user_sessions(database, listener, executions, records, clock, new_id, BOX)
    listening = asyncio.create_task(listener.run())
    try:
        yield House(database, workspace_id, clock, revisions, runner, executions, sessions, records)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await executions.close()
