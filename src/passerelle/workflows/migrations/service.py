"""Migrations: judging executions, moving those that can be moved, and taking that back.

A migration goes through its executions in batches. A batch is one transaction: it locks its executions, writes what
becomes of them and how far it has come. A process that dies loses one batch at most, and another goes on behind the
last one. An execution that is worked on meanwhile loses nothing: whoever works on it reads it again, as after any
commit that came first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from passerelle.definitions.model import Definition
from passerelle.definitions.revisions.models import StoredRevision
from passerelle.definitions.revisions.service import Revisions
from passerelle.engine.model import ENDED, State
from passerelle.engine.moving import inverse, moved
from passerelle.engine.signals import Moved
from passerelle.engine.statements import JobPlan
from passerelle.engine.store import LoadedExecution, Store
from passerelle.engine.transitions import advance
from passerelle.engine.verdicts import MigrationVerdict, RevisionChange, VerdictReason, verdict_of
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.fields import pointer
from passerelle.kit.jobs import Handler, JobRunning
from passerelle.workflows.errors import WORKFLOW_NOT_FOUND
from passerelle.workflows.migrations import errors
from passerelle.workflows.migrations.models import (
    UNDER_WAY,
    ExecutionMigration,
    Migration,
    MigrationRequest,
    MigrationStatus,
    Summary,
)
from passerelle.workflows.migrations.repository import JOB, MoveRepository

log = structlog.get_logger("passerelle.workflows")

AT_ONCE: Final = 50
"""Executions in one transaction: those that others want to go on with wait for some tens of milliseconds."""
LOOK_AGAIN: Final = 0.05
DRY_RUNS_KEPT: Final = timedelta(days=7)

RenameSteps = Callable[[Connection, UUID, UUID, Mapping[str, str]], Awaitable[None]]
"""Gives what others keep by an execution's steps their new names: workspace, execution, new names by the old ones."""


class Moves:
    """The migrations of every workspace."""

    def __init__(
        self,
        database: Database,
        repository: MoveRepository,
        store: Store,
        revisions: Revisions,
        rename_steps: RenameSteps,
        clock: Clock,
        run_wait: timedelta,
    ) -> None:
        self._database = database
        self._repository = repository
        self._store = store
        self._revisions = revisions
        self._rename_steps = rename_steps
        self._clock = clock
        self._run_wait = run_wait

    async def start(self, workspace_id: UUID, definition_id: UUID, wish: MigrationRequest) -> Summary:
        """Begin a migration. It goes on by itself; what it has come to when it is done, or `run_wait` is over.

        Raises WORKFLOW_DEFINITION_NOT_FOUND, REVISION_NOT_FOUND, MIGRATION_POINTLESS, REVISION_NOT_PUBLISHED,
        MAPPING_INVALID, WORKFLOW_NOT_FOUND, and DEFINITION_INVALID if the workspace lacks what `to` names.
        """
        before, after = await self._revisions_of(workspace_id, definition_id, wish)
        definition = await self._revisions.checked(workspace_id, after)
        if not wish.dry_run and not await self._revisions.was_published(workspace_id, after):
            raise errors.REVISION_NOT_PUBLISHED.error(
                f"revision {after.number} is a draft: publish it before executions move to it, or ask for a dry run",
                "/to",
            )
        way = RevisionChange(
            await self._revisions.compile_stored(workspace_id, before), definition, after.number, wish.mapping
        )
        if problems := [_mapping(old, message) for old, message in way.mapping_problems()]:
            raise PasserelleError(errors.MAPPING_INVALID.status, problems)
        await self._require_own(workspace_id, definition_id, wish.only)
        migration = _new(workspace_id, before, after, wish, self._clock())
        await self._repository.create(migration)
        return await self._settled(migration)

    async def undo(self, workspace_id: UUID, definition_id: UUID, migration_id: UUID, by: str) -> Summary:
        """Take a migration back, for every execution that has not gone on since.

        Raises MIGRATION_NOT_FOUND, MIGRATION_UNDER_WAY, MIGRATION_NOT_UNDOABLE.
        """
        migration = await self._find(workspace_id, definition_id, migration_id)
        if migration.dry_run:
            raise errors.MIGRATION_NOT_UNDOABLE.error("it was a dry run, so it moved nothing")
        if not await self._repository.undo(migration, by):
            migration = await self._find(workspace_id, definition_id, migration_id)
            if migration.status is MigrationStatus.UNDONE:
                raise errors.MIGRATION_NOT_UNDOABLE.error(f"{migration.undone_by} has undone it already")
            raise errors.MIGRATION_UNDER_WAY.error(f"the migration is {migration.status}: ask again once it is DONE")
        return await self._settled(migration)

    async def find(self, workspace_id: UUID, definition_id: UUID, migration_id: UUID) -> Summary:
        """A migration and what it has come to. Raises MIGRATION_NOT_FOUND."""
        return await self._summary(await self._find(workspace_id, definition_id, migration_id))

    async def page(self, workspace_id: UUID, definition_id: UUID, after: UUID | None, limit: int) -> list[Summary]:
        """A definition's migrations, newest first. Raises WORKFLOW_DEFINITION_NOT_FOUND."""
        await self._revisions.shown(workspace_id, definition_id)
        found = await self._repository.page(workspace_id, definition_id, after, limit)
        return [await self._summary(migration) for migration in found]

    async def moves(
        self, workspace_id: UUID, definition_id: UUID, migration_id: UUID, verdict: str | None, after: UUID | None,
        limit: int,
    ) -> list[ExecutionMigration]:  # fmt: skip
        """What a migration says of each execution. Raises MIGRATION_NOT_FOUND."""
        await self._find(workspace_id, definition_id, migration_id)
        return await self._repository.moves(workspace_id, migration_id, verdict, after, limit)

    def jobs(self) -> Mapping[str, Handler]:
        """What the feature's job does."""
        return {JOB: self.run}

    async def run(self, job: JobRunning) -> None:
        """Go on with a migration until it is done."""
        workspace_id, definition_id = UUID(job.payload["workspaceId"]), UUID(job.payload["definitionId"])
        migration = await self._repository.find(workspace_id, definition_id, UUID(job.payload["migrationId"]))
        while migration is not None and migration.status in UNDER_WAY:
            migration = await self._batch(migration)
            await asyncio.sleep(0)

    async def forget_old(self) -> None:
        """Delete dry runs that are a week old."""
        before = self._clock() - DRY_RUNS_KEPT
        while await self._repository.forget_dry(before, 10) == 10:
            pass

    # One batch.

    async def _batch(self, migration: Migration) -> Migration | None:
        workspace_id = migration.workspace_id
        before = await self._revisions.compiled(workspace_id, migration.from_revision)
        after = await self._revisions.compiled(workspace_id, migration.to_revision)
        way = RevisionChange(before, after, migration.to_number, migration.mapping)
        async with self._database.transaction(workspace_id) as connection:
            held = await self._repository.hold(connection, migration)
            if held is None or held.status not in UNDER_WAY:
                return held
            forward = held.status is MigrationStatus.RUNNING
            last = await (self._forward if forward else self._back)(connection, held, way)
            done = MigrationStatus.DONE if forward else MigrationStatus.UNDONE
            status, now = (done, self._clock()) if last is None else (held.status, None)
            await self._repository.progress(connection, held, last, status, now)
            return replace(held, status=status)

    async def _forward(self, connection: Connection, migration: Migration, way: RevisionChange) -> UUID | None:
        """Judge the next executions and move those that can be. The last of them; None if there was none."""
        ids = await self._repository.candidates(connection, migration, AT_ONCE)
        lock = not migration.dry_run
        moves = []
        for loaded in await self._store.hold(migration.workspace_id, ids, connection, lock=lock):
            reasons = self._reasons(migration, way, loaded.state)
            if reasons is None:
                continue
            reasons = _let(migration, way, loaded.state, reasons)
            move = ExecutionMigration(loaded.state.identity.id, verdict_of(reasons), tuple(reasons))
            loosens = move.verdict is MigrationVerdict.LOOSENS and migration.loosened_by is not None
            if (move.verdict is MigrationVerdict.SAFE or loosens) and not migration.dry_run:
                move = await self._move(connection, migration, way, loaded, move)
            moves.append(move)
        await self._repository.note(connection, migration, moves)
        return ids[-1] if ids else None

    def _reasons(self, migration: Migration, way: RevisionChange, state: State) -> list[VerdictReason] | None:
        """Why an execution cannot be moved; None where it went elsewhere before it was its turn."""
        if state.status in ENDED:
            said = VerdictReason("ENDED", f"it has ended as {state.status}")
        elif state.revision_id != migration.from_revision:
            said = VerdictReason("OTHER_REVISION", f"it is not on revision {migration.from_number}")
        else:
            return self._judged(way, state)
        return [said] if migration.only is not None else None

    def _judged(self, way: RevisionChange, state: State) -> list[VerdictReason]:
        try:
            return way.judge(state, self._clock())
        except Exception as error:  # one odd execution must not keep the others
            log.exception("execution.not_judged", execution=str(state.identity.id), error=repr(error))
            return [VerdictReason("NOT_JUDGED", "it could not be judged: see the server's log")]

    async def _move(
        self,
        connection: Connection,
        migration: Migration,
        way: RevisionChange,
        loaded: LoadedExecution,
        move: ExecutionMigration,
    ) -> ExecutionMigration:
        state = loaded.state
        parameters = way.parameters(state)
        there = moved(state, way.after, migration.to_revision, way.names, parameters)
        if move.verdict is MigrationVerdict.LOOSENS:
            there = way.under_rules(there, way.after, self._clock())
        seq, now = await self._commit(connection, way.after, loaded, there), self._clock()
        if way.names:
            await self._rename_steps(connection, migration.workspace_id, state.identity.id, way.names)
        added = tuple(sorted(parameters.keys() - state.identity.parameters.keys()))
        return replace(move, moved_at=now, moved_seq=seq, trail=state.trail, added=added)

    async def _back(self, connection: Connection, migration: Migration, way: RevisionChange) -> UUID | None:
        """Move the next executions back, if they have not gone on. The last of them; None if there was none."""
        moves = await self._repository.moved(connection, migration, AT_ONCE)
        ids = [move.execution_id for move in moves]
        held = await self._store.hold(migration.workspace_id, ids, connection)
        found = {loaded.state.identity.id: loaded for loaded in held}
        settled = []
        for move in moves:
            loaded = found.get(move.execution_id)
            if loaded is None or loaded.seq != move.moved_seq:
                settled.append(replace(move, kept="it has gone on since"))
                continue
            state = loaded.state
            given = state.identity.parameters
            parameters = {name: given[name] for name in given if name not in move.added} if move.added else None
            names = inverse(way.names)
            back = moved(state, way.before, migration.from_revision, names, parameters)
            if move.verdict is MigrationVerdict.LOOSENS:
                back = way.under_rules(back, way.before, self._clock())
            await self._commit(connection, way.before, loaded, replace(back, trail=move.trail))
            if names:
                await self._rename_steps(connection, migration.workspace_id, state.identity.id, names)
            settled.append(replace(move, undone_at=self._clock()))
        await self._repository.settle(connection, migration, settled)
        return ids[-1] if ids else None

    async def _commit(
        self, connection: Connection, definition: Definition, loaded: LoadedExecution, state: State
    ) -> int:
        """Write where an execution stands now; the number of that commit."""
        now = self._clock()
        transition = advance(definition, state, Moved(), now)
        plan = _plan(loaded, transition.state, now)
        written = await self._store.commit(definition, loaded, transition, now, plan, connection=connection)
        assert written is not None, "it is locked"
        return written.seq

    # What callers want.

    async def _revisions_of(
        self, workspace_id: UUID, definition_id: UUID, wish: MigrationRequest
    ) -> tuple[StoredRevision, StoredRevision]:
        await self._revisions.shown(workspace_id, definition_id)
        found = {}
        problems: list[Problem] = []
        for name, number in (("from", wish.from_number), ("to", wish.to_number)):
            try:
                found[name] = await self._revisions.numbered(workspace_id, definition_id, number)
            except PasserelleError as error:
                problems += [replace(problem, pointer=f"/{name}") for problem in error.problems]
        if problems:
            raise PasserelleError(404, problems)
        if wish.from_number == wish.to_number:
            raise errors.MIGRATION_POINTLESS.error("name another revision: executions of `from` are on it", "/to")
        return found["from"], found["to"]

    async def _require_own(self, workspace_id: UUID, definition_id: UUID, only: tuple[UUID, ...] | None) -> None:
        strangers = await self._repository.strangers(workspace_id, definition_id, only) if only else set()
        problems = [
            WORKFLOW_NOT_FOUND.problem(f"the definition has no execution {wanted}", f"/workflowIds/{index}")
            for index, wanted in enumerate(only or ())
            if wanted in strangers
        ]
        if problems:
            raise PasserelleError(WORKFLOW_NOT_FOUND.status, problems)

    async def _find(self, workspace_id: UUID, definition_id: UUID, migration_id: UUID) -> Migration:
        migration = await self._repository.find(workspace_id, definition_id, migration_id)
        if migration is None:
            raise errors.MIGRATION_NOT_FOUND.error(
                f"the definition has no migration {migration_id}: GET /definitions/{definition_id}/migrations lists all"
            )
        return migration

    async def _settled(self, migration: Migration) -> Summary:
        """What a migration has come to once it is done, whoever does it; at the latest when `run_wait` is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._run_wait.total_seconds()
        while True:
            found = await self._find(migration.workspace_id, migration.definition_id, migration.id)
            if found.status not in UNDER_WAY or loop.time() >= deadline:
                return await self._summary(found)
            await asyncio.sleep(LOOK_AGAIN)

    async def _summary(self, migration: Migration) -> Summary:
        return Summary(migration, *await self._repository.came_to(migration.workspace_id, migration.id))


def _let(migration: Migration, way: RevisionChange, state: State, reasons: list[VerdictReason]) -> list[VerdictReason]:
    """The reasons, where open reviews may get looser rules: not by somebody who has voted on one of them."""
    if migration.loosened_by is None or verdict_of(reasons) is not MigrationVerdict.LOOSENS:
        return reasons
    if migration.loosened_by not in way.voters(state):
        return reasons
    said = "whoever wants its review's rules loosened has voted on it: somebody else has to move it"
    return [VerdictReason("REVIEW_VOTED", said)]


def _plan(loaded: LoadedExecution, state: State, now: datetime) -> JobPlan:
    """Its job stays, unless the other revision lets it wake at another time."""
    if state.wake_at == loaded.state.wake_at:
        return JobPlan(keep=loaded.job_id)
    if state.wake_at is None:
        return JobPlan(drop=loaded.job_id)
    return JobPlan(delay=max(state.wake_at - now, timedelta(0)), drop=loaded.job_id)


def _new(
    workspace_id: UUID, before: StoredRevision, after: StoredRevision, wish: MigrationRequest, now: datetime
) -> Migration:
    return Migration(
        id=wish.id,
        workspace_id=workspace_id,
        definition_id=before.definition_id,
        from_revision=before.id,
        from_number=before.number,
        to_revision=after.id,
        to_number=after.number,
        mapping=wish.mapping,
        only=wish.only,
        dry_run=wish.dry_run,
        status=MigrationStatus.RUNNING,
        position=None,
        created_at=now,
        created_by=wish.by,
        loosened_by=wish.loosened_by,
        completed_at=None,
        undone_by=None,
    )


def _mapping(old: str, message: str) -> Problem:
    return errors.MAPPING_INVALID.problem(message, pointer(("mapping", old)))
