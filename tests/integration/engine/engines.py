"""An engine on the test's database, whose definitions are made without the compiler."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.definitions.revisions.service import Published
from passerelle.engine.model import Identity, State
from passerelle.engine.runner import Run, Runner
from passerelle.engine.statements import ABANDONED, CHILD_ENDED, ENTRYPOINT
from passerelle.engine.store import LoadedExecution, Store
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.kit.jobs import Leases
from passerelle.kit.json import loads

NoOutgoing: Any = None


@dataclass
class Engine:
    """A runner on the test's database, and definitions that it knows by revision."""

    database: Database
    workspace_id: UUID
    clock: MovedClock = field(default_factory=MovedClock)
    known: dict[UUID, Definition] = field(default_factory=dict)
    names: dict[str, Published] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.begun = self.clock()
        self.store = Store(self.database, new_id)
        self.runner = Runner(self.store, self, self, NoOutgoing, Leases(self.database), self.clock)

    async def compiled(self, workspace_id: UUID, revision_id: UUID) -> Definition:
        return self.known[revision_id]

    async def named(self, workspace_id: UUID, name: str) -> Published | None:
        return self.names.get(name)

    async def values(self, workspace_id: UUID) -> dict[str, str]:
        return {}

    def seal(self, plain: str) -> str:
        return plain

    def unseal(self, sealed: str) -> str:
        return sealed

    async def publish(self, definition: Definition) -> tuple[UUID, UUID]:
        definition_id, revision_id = new_id(), new_id()
        self.known[revision_id] = definition
        async with self.database.transaction(self.workspace_id) as connection:
            await connection.execute(
                "INSERT INTO definition (workspace_id, id, name, published_revision) VALUES ($1, $2, $3, $4)",
                self.workspace_id,
                definition_id,
                str(definition_id),
                revision_id,
            )
        self.names[definition.name] = Published(definition_id, revision_id, 1, definition)
        return definition_id, revision_id

    async def start(self, definition: Definition, **parameters: Any) -> Run:
        definition_id, revision_id = await self.publish(definition)
        identity = Identity(
            new_id(), self.workspace_id, definition_id, definition.execution_type, parameters, self.clock(), "API"
        )
        run = await self.runner.start(definition, identity, revision_id)
        assert run is not None
        return run

    async def rows(self, query: str, *values: Any) -> list[Any]:
        async with self.database.workspace(self.workspace_id) as connection:
            return list(await connection.fetch(query, *values))

    async def jobs(self) -> list[Any]:
        return await self.rows("SELECT * FROM pgqueuer ORDER BY id")

    async def loaded(self, execution_id: UUID) -> LoadedExecution:
        loaded = await self.store.load(self.workspace_id, execution_id)
        assert loaded is not None
        return loaded

    async def state(self, execution_id: UUID) -> State:
        return (await self.loaded(execution_id)).state

    async def work(self, *, entrypoints: tuple[str, ...] = (ENTRYPOINT, CHILD_ENDED, ABANDONED)) -> int:
        """Do every job that is due by the test's clock, as a worker does, until none is left. How many there were."""
        done = 0
        while job := await self._take(entrypoints):
            payload = loads(job["payload"])
            workspace_id, execution_id = UUID(payload["workspaceId"]), UUID(payload["executionId"])
            if job["entrypoint"] == ENTRYPOINT:
                await self.runner.resume(workspace_id, execution_id, job["id"])
            elif job["entrypoint"] == CHILD_ENDED:
                await self.runner.children.tell(workspace_id, execution_id)
            else:
                await self.runner.children.end(workspace_id, execution_id)
            await self.rows("DELETE FROM pgqueuer WHERE id = $1", job["id"])
            done += 1
        return done

    async def _take(self, entrypoints: tuple[str, ...]) -> Any:
        """A job that is due, or the lease of an execution that has something to do."""
        jobs = await self.rows(
            """
            SELECT job.id, job.entrypoint, job.payload FROM pgqueuer job
            WHERE job.entrypoint = ANY($1) AND job.status = 'queued' AND (
                job.execute_after <= now() + $2
                OR EXISTS (SELECT FROM execution e WHERE e.job_id = job.id AND e.state::text ~ '"(ready|calling)"'))
            ORDER BY job.id LIMIT 1
            """,
            list(entrypoints),
            self.clock() - self.begun,
        )
        if jobs:
            await self.rows("UPDATE pgqueuer SET status = 'picked' WHERE id = $1", jobs[0]["id"])
        return jobs[0] if jobs else None
