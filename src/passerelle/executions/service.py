"""Starting executions and acting on them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import structlog

from passerelle.definitions.model import Definition
from passerelle.definitions.parameters import check_parameters
from passerelle.engine.kinds import StepFailure, WaitingKind
from passerelle.engine.model import ENDED, Cancelled, EventCame, Happening, Identity, Received, Retried, State, Status
from passerelle.engine.runner import Run, Runner
from passerelle.engine.store import AlreadyStarted, Gone, Loaded
from passerelle.engine.transitions import NotAllowed
from passerelle.errors import Code, PasserelleError, Problem
from passerelle.executions import errors
from passerelle.executions.masking import Masking
from passerelle.executions.personal import masking_of
from passerelle.executions.repository import ExecutionRepository, ExecutionView, Filters, MoveView, StepRunView
from passerelle.kit.clock import Clock
from passerelle.kit.http.fields import FIELD_INVALID
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json, JsonObject
from passerelle.records.models import Change
from passerelle.records.parts import RecordParts
from passerelle.revisions.service import Published, Revisions
from passerelle.tables.models import Table

log = structlog.get_logger("passerelle.executions")

EXPIRES_FROM: Final = timedelta(minutes=30)
EXPIRES_UNTIL: Final = timedelta(days=30)
LOOK_AGAIN: Final = 0.1
"""Seconds between looks at an execution that another process works on."""


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a caller wants to run."""

    id: UUID
    definition_id: UUID
    parameters: JsonObject | None = None
    parameters_id: UUID | None = None
    record_id: UUID | None = None
    locale: str | None = None
    expires_at: datetime | None = None
    origin: str = "API"


@dataclass(frozen=True, slots=True)
class Timeline:
    """What has happened in an execution, and what of it is personal."""

    view: ExecutionView
    runs: Sequence[StepRunView]
    changes: Sequence[tuple[Table, Change]]
    mask: Masking
    moves: Sequence[MoveView] = ()


class Executions:
    """Every execution of every workspace."""

    def __init__(
        self,
        runner: Runner,
        revisions: Revisions,
        repository: ExecutionRepository,
        records: RecordParts,
        clock: Clock,
        new_id: NewId,
        run_wait: timedelta,
    ) -> None:
        self._runner = runner
        self._revisions = revisions
        self._repository = repository
        self._records = records
        self._clock = clock
        self._new_id = new_id
        self._run_wait = run_wait
        self._under_way: set[asyncio.Task[State]] = set()

    async def run(self, workspace_id: UUID, request: StartRequest) -> State:
        """Run a definition that needs no end user, until it ends or rests; at the latest until `run_wait` is over.

        Raises WORKFLOW_NEEDS_USER, and whatever `start` raises.
        """
        deadline = asyncio.get_running_loop().time() + self._run_wait.total_seconds()
        published = await self._revisions.published(workspace_id, request.definition_id)
        if published.definition.execution_type == "INTERACTIVE":
            raise errors.WORKFLOW_NEEDS_USER.error(
                f"{published.definition.name} has steps for an end user: "
                "create a link or a token, or start it with POST /workflows",
                "/workflowDefinitionId",
            )
        run = await self._begin(workspace_id, request)
        if run is None:
            return await self._settled(workspace_id, request.id, deadline)
        if not run.state.under_way:
            return run.state
        task = self._spawn(run)
        await asyncio.wait({task}, timeout=deadline - asyncio.get_running_loop().time())
        if not task.done() or run.state.status is not Status.RUNNING:
            return run.state
        return await self._settled(workspace_id, request.id, deadline)

    async def start(self, workspace_id: UUID, request: StartRequest) -> ExecutionView:
        """Start an execution of any definition and let it go on by itself.

        Raises WORKFLOW_DEFINITION_NOT_FOUND, STEP_KIND_NOT_AVAILABLE, PARAMETERS_NOT_FOUND, RECORD_NOT_FOUND,
        EXPIRES_AT_INVALID, and all that is wrong with the parameters at once.
        """
        run = await self._begin(workspace_id, request)
        view = await self.find(workspace_id, request.id)
        if run is not None and run.state.runnable:
            self._spawn(run)
        return view

    async def close(self) -> None:
        """Give what is under way a moment to reach its next commit; the queue takes over what is left."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=3)
        for task in self._under_way:
            task.cancel()

    async def find(self, workspace_id: UUID, execution_id: UUID) -> ExecutionView:
        """One execution. Raises WORKFLOW_NOT_FOUND."""
        view = await self._repository.find(workspace_id, execution_id)
        if view is None:
            raise _not_found(execution_id)
        return view

    async def result(self, workspace_id: UUID, execution_id: UUID) -> ExecutionView:
        """A completed execution. Raises WORKFLOW_NOT_FOUND, WORKFLOW_NOT_COMPLETED."""
        view = await self.find(workspace_id, execution_id)
        if view.status is not Status.COMPLETED:
            raise errors.WORKFLOW_NOT_COMPLETED.error(_why_no_result(view))
        return view

    async def page(self, workspace_id: UUID, filters: Filters, after: UUID | None, limit: int) -> list[ExecutionView]:
        """Executions, newest first. Those of a record are those of the records that were merged into it, too."""
        known_as = None
        if filters.record_id is not None:
            known_as = await self._records.records.known_as(workspace_id, filters.record_id)
        return await self._repository.page(workspace_id, filters, after, limit, known_as)

    async def timeline(self, workspace_id: UUID, execution_id: UUID) -> Timeline:
        """An execution with every finished attempt and what it did to records. Raises WORKFLOW_NOT_FOUND."""
        view = await self.find(workspace_id, execution_id)
        _, definition = await self._runner.look(workspace_id, execution_id)
        runs = await self._repository.step_runs(workspace_id, execution_id)
        moves = await self._repository.moves(workspace_id, execution_id)
        left = dict.fromkeys(revision_id for move in moves for revision_id in (move.from_revision, move.to_revision))
        former = [await self._revisions.compiled(workspace_id, revision_id) for revision_id in left]
        changes = await self._records.trail.by_execution(workspace_id, execution_id)
        mask = await masking_of(self._records, view, [*former, definition], runs)
        return Timeline(view, runs, changes, mask, moves)

    async def of_record(
        self, workspace_id: UUID, table: str, record_id: UUID, after: UUID | None, limit: int
    ) -> list[ExecutionView]:
        """The executions that concern a record, newest first. Raises TABLE_NOT_FOUND, RECORD_NOT_FOUND."""
        found = await self._records.steps.require(workspace_id, table, record_id)
        return await self.page(workspace_id, Filters(record_id=found), after, limit)

    async def cancel(self, workspace_id: UUID, execution_id: UUID, reason: str | None) -> ExecutionView:
        """End an execution. Raises WORKFLOW_NOT_FOUND, WORKFLOW_ENDED."""
        return await self._happen(workspace_id, execution_id, Cancelled(reason), errors.WORKFLOW_ENDED)

    async def retry(
        self, workspace_id: UUID, execution_id: UUID, definition: Literal["original", "latest"]
    ) -> ExecutionView:
        """Go on from the failed step. Raises WORKFLOW_NOT_FOUND, WORKFLOW_NOT_FAILED, STEP_NOT_IN_REVISION."""
        state, _ = await self._look(workspace_id, execution_id)
        revision_id = state.revision_id
        if definition == "latest":
            published = await self._latest(workspace_id, state.identity.definition_id)
            _require_steps(state, published)
            revision_id = published.revision_id
        return await self._happen(workspace_id, execution_id, Retried(revision_id), errors.WORKFLOW_NOT_FAILED)

    async def receive(
        self, workspace_id: UUID, execution_id: UUID, name: str, body: Json, event_id: UUID
    ) -> ExecutionView:
        """Give an execution an event. One that comes before its step waits for it.

        Raises WORKFLOW_NOT_FOUND, EVENT_UNKNOWN, WORKFLOW_ENDED, EVENT_BODY_INVALID.
        """
        state, definition = await self._look(workspace_id, execution_id)
        if state.status in ENDED:
            raise errors.WORKFLOW_ENDED.error(f"the execution has ended as {state.status} and takes no more events")
        _require_event(definition, name, body)
        event = EventCame(Received(event_id, name, body))
        return await self._happen(workspace_id, execution_id, event, errors.WORKFLOW_ENDED)

    async def keep_parameters(
        self, workspace_id: UUID, definition_id: UUID | None, parameters: JsonObject, parameters_id: UUID
    ) -> None:
        """Store parameters under an id; checked, if the definition is named."""
        if definition_id is not None:
            published = await self._latest(workspace_id, definition_id)
            _checked(published.definition, parameters)
        await self._repository.keep_parameters(workspace_id, definition_id, parameters, parameters_id)

    async def happen(self, workspace_id: UUID, execution_id: UUID, happening: Happening) -> Run:
        """Let something happen to an execution; what follows goes on by itself, beside the caller.

        Raises WORKFLOW_NOT_FOUND, and whatever the engine refuses with.
        """
        try:
            run = await self._runner.apply(workspace_id, execution_id, happening)
        except Gone:
            raise _not_found(execution_id) from None
        if run.state.runnable:
            self._spawn(run)
        return run

    async def look(self, workspace_id: UUID, execution_id: UUID) -> tuple[Loaded, Definition]:
        """An execution as it stands now. Raises WORKFLOW_NOT_FOUND."""
        try:
            return await self._runner.look_closely(workspace_id, execution_id)
        except Gone:
            raise _not_found(execution_id) from None

    # Starting.

    async def _begin(self, workspace_id: UUID, request: StartRequest) -> Run | None:
        """The new execution; None if one with this id was started before, by the same request."""
        given = await self._given(workspace_id, request)
        now = self._clock()
        wrong = _wrong_expiry(request.expires_at, now)
        while True:
            published = await self._revisions.published(workspace_id, request.definition_id)
            definition = published.definition
            _require_runnable(definition)
            identity = Identity(
                id=request.id,
                workspace_id=workspace_id,
                definition_id=request.definition_id,
                execution_type=definition.execution_type,
                parameters=_checked(definition, given, wrong),
                created_at=now,
                origin=request.origin,
                record_id=await self._record(workspace_id, definition, request.record_id),
                locale=request.locale,
                expires_at=request.expires_at or definition.expiry(now),
            )
            try:
                run = await self._runner.start(definition, identity, published.revision_id)
            except AlreadyStarted:
                return None
            if run is not None:
                return run
            # Another revision was published meanwhile: look again.
            self._revisions.forget(workspace_id, request.definition_id)

    async def _record(self, workspace_id: UUID, definition: Definition, record_id: UUID | None) -> UUID | None:
        """The record that the execution concerns; any reference of the caller's where the definition names no table."""
        if record_id is None or definition.record is None:
            return record_id
        try:
            return await self._records.steps.require(workspace_id, definition.record.table, record_id)
        except PasserelleError as error:
            problems = [replace(problem, pointer="/recordId") for problem in error.problems]
            raise PasserelleError(error.status, problems) from None

    async def _given(self, workspace_id: UUID, request: StartRequest) -> JsonObject:
        if request.parameters_id is None:
            return request.parameters or {}
        kept = await self._repository.kept_parameters(workspace_id, request.parameters_id)
        if kept is None:
            raise errors.PARAMETERS_NOT_FOUND.error(
                f"this workspace has no parameters {request.parameters_id}: store them with POST /parameters",
                "/parametersId",
            )
        return {**kept, **(request.parameters or {})}

    async def _latest(self, workspace_id: UUID, definition_id: UUID) -> Published:
        self._revisions.forget(workspace_id, definition_id)
        return await self._revisions.published(workspace_id, definition_id)

    # Going on.

    def _spawn(self, run: Run) -> asyncio.Task[State]:
        task = asyncio.create_task(self._go_on(run))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _go_on(self, run: Run) -> State:
        try:
            return await run.go_on()
        except Exception as error:  # the lease runs out, and a worker goes on from the last commit
            log.warning("execution.interrupted", execution=str(run.state.identity.id), error=repr(error))
            return run.state

    async def _settled(self, workspace_id: UUID, execution_id: UUID, deadline: float) -> State:
        """The state once the execution ends or rests, whoever works on it; at `deadline` as it stands then."""
        loop = asyncio.get_running_loop()
        while True:
            state, _ = await self._look(workspace_id, execution_id)
            resting = state.wake_at is None and not state.under_way
            if state.status is not Status.RUNNING or resting or loop.time() >= deadline:
                return state
            await asyncio.sleep(max(0.0, min(LOOK_AGAIN, deadline - loop.time())))

    async def _happen(
        self, workspace_id: UUID, execution_id: UUID, happening: Happening, refusal: Code
    ) -> ExecutionView:
        try:
            run = await self._runner.apply(workspace_id, execution_id, happening)
        except Gone:
            raise _not_found(execution_id) from None
        except NotAllowed as error:
            raise refusal.error(str(error)) from None
        view = await self.find(workspace_id, execution_id)
        if run.state.runnable:
            self._spawn(run)
        return view

    async def _look(self, workspace_id: UUID, execution_id: UUID) -> tuple[State, Definition]:
        try:
            return await self._runner.look(workspace_id, execution_id)
        except Gone:
            raise _not_found(execution_id) from None


def _not_found(execution_id: UUID) -> PasserelleError:
    return errors.WORKFLOW_NOT_FOUND.error(f"this workspace has no execution {execution_id}")


def _why_no_result(view: ExecutionView) -> str:
    if view.status is Status.FAILED:
        return f"the execution is FAILED ({view.error['code']}: {view.error['message']}): mend the cause and retry it"
    if view.status in ENDED:
        return f"the execution has ended as {view.status}: there is no result"
    return f"the execution is {view.status}: ask again once it is COMPLETED, or wait for the webhook"


def _checked(definition: Definition, given: JsonObject, wrong: Sequence[Problem] = ()) -> JsonObject:
    """The parameters with their defaults. Raises what is wrong with them, beside what is `wrong` already."""
    values, problems = check_parameters(definition, given)
    if problems or wrong:
        raise PasserelleError(400, [*wrong, *problems])
    return values


def _require_runnable(definition: Definition) -> None:
    missing = sorted({step.kind.name for step in definition.all_steps if not step.kind.runnable})
    if missing:
        raise errors.STEP_KIND_NOT_AVAILABLE.error(
            f"{definition.name} has steps of kinds that this release cannot run: {', '.join(missing)}",
            "/workflowDefinitionId",
        )


def _wrong_expiry(expires_at: datetime | None, now: datetime) -> list[Problem]:
    if expires_at is None:
        return []
    if expires_at.tzinfo is None:
        return [FIELD_INVALID.problem("expiresAt needs a time zone, such as Z", "/expiresAt")]
    if not now + EXPIRES_FROM <= expires_at <= now + EXPIRES_UNTIL:
        return [errors.EXPIRES_AT_INVALID.problem("expiresAt must lie 30 minutes to 30 days ahead", "/expiresAt")]
    return []


def _require_steps(state: State, published: Published) -> None:
    here = {position.step for position in state.lanes.values() if position.step is not None}
    missing = sorted(here - published.definition.positions.keys())
    if missing:
        raise errors.STEP_NOT_IN_REVISION.error(
            f"revision {published.number} has no step {', '.join(missing)}: retry with ?definition=original"
        )


def _require_event(definition: Definition, name: str, body: Json) -> None:
    """Refuse at once what no step would take, so that the sender learns of it."""
    takers = [
        (step.kind, step.config)
        for step in definition.all_steps
        if isinstance(step.kind, WaitingKind) and step.kind.event_name(step.config) == name
    ]
    if not takers:
        raise errors.EVENT_UNKNOWN.error(f"{definition.name} has no event step that takes {name}")
    for kind, config in takers:
        try:
            kind.accept(config, body)
            return
        except StepFailure as failure:
            refusal = failure
    raise errors.EVENT_BODY_INVALID.error(refusal.message)
