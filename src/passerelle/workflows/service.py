"""Starting executions and acting on them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal
from uuid import UUID

from passerelle.audit.trail import AuditTrail
from passerelle.definitions.model import Definition
from passerelle.definitions.revisions.service import Published, Revisions
from passerelle.engine.checks import CheckResult, OutsideCheck
from passerelle.engine.children import Admission
from passerelle.engine.commits import ExecutionBusyError
from passerelle.engine.model import ENDED, Identity, Received, State, Status
from passerelle.engine.runner import Run, Runner
from passerelle.engine.signals import Cancelled, EventCame, Retried, Signal
from passerelle.engine.store import AlreadyStarted, Gone, LoadedExecution
from passerelle.engine.transitions import NotAllowed
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection
from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.grants import acting
from passerelle.kit.http.permissions import require_reached
from passerelle.kit.ids import NewId
from passerelle.kit.json import Json, JsonObject
from passerelle.records.masking import Masking
from passerelle.records.models import RecordChange
from passerelle.records.parts import RecordServices
from passerelle.tables.models import Table
from passerelle.tables.seen import is_limited
from passerelle.workflows import errors
from passerelle.workflows.masking import RunMasking, personal_parameters
from passerelle.workflows.models import ExecutionFilters, ExecutionView, FailureGroup, MoveView, StepRunView
from passerelle.workflows.personal import masking_of
from passerelle.workflows.preconditions import (
    checked_parameters,
    not_found,
    require_event,
    require_no_user,
    require_room,
    require_steps,
    require_visited,
    why_no_result,
    wrong_expiry,
)
from passerelle.workflows.repository import ExecutionRepository
from passerelle.workflows.runs_here import RunsHere
from passerelle.workflows.shown import VIEWED, narrowed, seen_definitions, sees_personal, shown_view
from passerelle.workflows.under_way import under_way

NEVER_BEGUN: Final = "NEVER_BEGUN"
"""The code of an execution whose link or token nobody used."""
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
    may_lack_parameters: bool = False
    """Whether a `parameters_id` that nobody knows counts as none."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What has happened in an execution, and what of it is personal."""

    view: ExecutionView
    runs: Sequence[StepRunView]
    changes: Sequence[tuple[Table, RecordChange]]
    mask: RunMasking
    kept: RunMasking
    """Hides only what whoever asks does not see of records."""
    moves: Sequence[MoveView] = ()


class Executions:
    """Every execution of every workspace."""

    def __init__(
        self,
        runner: Runner,
        revisions: Revisions,
        repository: ExecutionRepository,
        records: RecordServices,
        clock: Clock,
        new_id: NewId,
        run_wait: timedelta,
        quotas: Admission | None = None,
        trail: AuditTrail | None = None,
    ) -> None:
        self._runner = runner
        self._revisions = revisions
        self._repository = repository
        self._records = records
        self._clock = clock
        self._new_id = new_id
        self._run_wait = run_wait
        self._quotas = quotas
        self._trail = trail
        self._here = RunsHere()

    async def run(self, workspace_id: UUID, request: StartRequest) -> State:
        """Run a definition that needs no end user, until it ends or rests; at the latest until `run_wait` is over.

        Raises WORKFLOW_NEEDS_USER, and whatever `start` raises.
        """
        deadline = asyncio.get_running_loop().time() + self._run_wait.total_seconds()
        run = await self._begin(workspace_id, request, alone=True)
        if run is None:
            return await self._settled(workspace_id, request.id, deadline)
        if not run.state.under_way:
            return run.state
        task = self._here.spawn(run)
        await asyncio.wait({task}, timeout=deadline - asyncio.get_running_loop().time())
        if not task.done() or run.state.status is not Status.RUNNING:
            return run.state
        return await self._settled(workspace_id, request.id, deadline)

    async def start(self, workspace_id: UUID, request: StartRequest) -> ExecutionView:
        """Start an execution of any definition and let it go on by itself.

        Raises WORKFLOW_DEFINITION_NOT_FOUND, PERMISSION_DENIED, PARAMETERS_NOT_FOUND,
        RECORD_NOT_FOUND, EXPIRES_AT_INVALID, EXECUTIONS_QUOTA_REACHED, and all that is wrong with the parameters at
        once.
        """
        run = await self._begin(workspace_id, request)
        view = await self.find(workspace_id, request.id)
        if run is not None and run.state.runnable:
            self._here.spawn(run)
        return view

    async def close(self) -> None:
        """Give what is under way a moment to reach its next commit; the queue takes over what is left."""
        await self._here.close()

    async def find(self, workspace_id: UUID, execution_id: UUID) -> ExecutionView:
        """One execution. Raises WORKFLOW_NOT_FOUND, PERMISSION_DENIED."""
        (view,) = await self._shown([await self._found(workspace_id, execution_id)])
        return view

    async def result(self, workspace_id: UUID, execution_id: UUID) -> ExecutionView:
        """A completed execution. Raises WORKFLOW_NOT_FOUND, WORKFLOW_NOT_COMPLETED."""
        view = await self.find(workspace_id, execution_id)
        if view.status is not Status.COMPLETED:
            raise errors.WORKFLOW_NOT_COMPLETED.error(why_no_result(view))
        if sees_personal(view.definition_id) and not self._is_cut():
            return view
        timeline = await self.timeline(workspace_id, execution_id)
        mask = timeline.kept if sees_personal(view.definition_id) else timeline.mask
        return replace(view, result=mask.result(view.result))

    async def page(
        self, workspace_id: UUID, filters: ExecutionFilters, after: UUID | None, limit: int
    ) -> list[ExecutionView]:
        """Executions, newest first. Those of a record are those of the records that were merged into it, too."""
        known_as = await self._known_as(workspace_id, filters)
        found = await self._repository.page(workspace_id, narrowed(filters), after, limit, known_as)
        return await self._shown(found)

    async def portion(
        self, workspace_id: UUID, filters: ExecutionFilters, after: UUID | None, limit: int
    ) -> list[ExecutionView]:
        """As `page`, of the definitions that the filters name and as everything is: for jobs, which act for nobody."""
        known_as = await self._known_as(workspace_id, filters)
        return await self._repository.page(workspace_id, filters, after, limit, known_as)

    async def several(self, workspace_id: UUID, execution_ids: Sequence[UUID]) -> dict[UUID, ExecutionView]:
        """Executions by their ids, likewise; those that are not there are left out."""
        return {view.id: view for view in await self._repository.several(workspace_id, execution_ids)}

    async def count(self, workspace_id: UUID, filters: ExecutionFilters, at_most: int) -> dict[str, int]:
        """How many there are in each status, none counted further than `at_most`."""
        known_as = await self._known_as(workspace_id, filters)
        return await self._repository.count(workspace_id, narrowed(filters), at_most, known_as)

    async def failures(self, workspace_id: UUID, at_most: int) -> list[FailureGroup]:
        """The newest failed executions, at most so many, grouped by definition and error."""
        return await self._repository.failures(workspace_id, at_most, seen_definitions())

    async def timeline(self, workspace_id: UUID, execution_id: UUID) -> Timeline:
        """An execution with every finished attempt and what it did to records. Raises WORKFLOW_NOT_FOUND."""
        view = await self._found(workspace_id, execution_id)
        state, definition = await self._look(workspace_id, execution_id)
        runs = await self._repository.step_runs(workspace_id, execution_id)
        runs += under_way(definition, state, self._clock(), runs)
        moves = await self._repository.moves(workspace_id, execution_id)
        left = dict.fromkeys(revision_id for move in moves for revision_id in (move.from_revision, move.to_revision))
        former = [await self._revisions.compiled(workspace_id, revision_id) for revision_id in left]
        changes = await self._records.history.by_execution(workspace_id, execution_id)
        mask, kept = await masking_of(self._records, view, [*former, definition], runs)
        return Timeline(view, runs, changes, mask, kept, moves)

    async def of_record(
        self, workspace_id: UUID, table: str, record_id: UUID, after: UUID | None, limit: int
    ) -> list[ExecutionView]:
        """The executions that concern a record, newest first. Raises TABLE_NOT_FOUND, RECORD_NOT_FOUND."""
        found = await self._records.steps.require(workspace_id, table, record_id)
        return await self.page(workspace_id, ExecutionFilters(record_id=found), after, limit)

    async def cancel(self, workspace_id: UUID, execution_id: UUID, reason: str | None) -> ExecutionView:
        """End an execution. Raises WORKFLOW_NOT_FOUND, WORKFLOW_ENDED."""
        await self._require(workspace_id, execution_id)
        return await self._happen(workspace_id, execution_id, Cancelled(reason), errors.WORKFLOW_ENDED)

    async def end_unused(self, workspace_id: UUID, execution_id: UUID, why: str) -> None:
        """End an execution that nobody has begun and nobody can begin any more. One that has ended stays as it is."""
        with suppress(Gone, NotAllowed):
            await self._runner.apply(workspace_id, execution_id, Cancelled(why, NEVER_BEGUN))

    async def retry(
        self,
        workspace_id: UUID,
        execution_id: UUID,
        definition: Literal["original", "latest"],
        step: str | None = None,
    ) -> ExecutionView:
        """Go on from the failed step, or from one that it has come by before.

        Raises WORKFLOW_NOT_FOUND, WORKFLOW_NOT_FAILED, STEP_NOT_IN_REVISION, STEP_NOT_REACHED.
        """
        await self._require(workspace_id, execution_id)
        state, known = await self._look(workspace_id, execution_id)
        revision_id = state.revision_id
        if step is not None:
            require_visited(known, state, step)
        if definition == "latest":
            published = await self._revisions.published_now(workspace_id, state.identity.definition_id)
            require_steps(state, published)
            revision_id = published.revision_id
        retried = Retried(revision_id, step)
        return await self._happen(workspace_id, execution_id, retried, errors.WORKFLOW_NOT_FAILED)

    async def receive(
        self, workspace_id: UUID, execution_id: UUID, name: str, body: Json, event_id: UUID
    ) -> ExecutionView:
        """Give an execution an event. One that comes before its step waits for it.

        Raises WORKFLOW_NOT_FOUND, EVENT_UNKNOWN, WORKFLOW_ENDED, EVENT_BODY_INVALID, EVENTS_TOO_MANY.
        """
        await self._require(workspace_id, execution_id)
        if await self._repository.has_received(workspace_id, execution_id, event_id):
            return await self.find(workspace_id, execution_id)  # the same request again
        state, definition = await self._look(workspace_id, execution_id)
        if state.status in ENDED:
            raise errors.WORKFLOW_ENDED.error(f"the execution has ended as {state.status} and takes no more events")
        require_event(definition, state, name, body)
        require_room(state, name, body)
        event = EventCame(Received(event_id, name, body))
        view = await self._happen(workspace_id, execution_id, event, errors.WORKFLOW_ENDED)
        await self._note("sendEvent", workspace_id, view.definition_id, execution_id)
        return view

    async def keep_parameters(
        self, workspace_id: UUID, definition_id: UUID | None, parameters: JsonObject, parameters_id: UUID
    ) -> None:
        """Store parameters under an id; checked, if the definition is named."""
        if definition_id is not None:
            published = await self._revisions.published_now(workspace_id, definition_id)
            checked_parameters(published.definition, parameters)
        await self._repository.keep_parameters(workspace_id, definition_id, parameters, parameters_id)

    async def happen(
        self, workspace_id: UUID, execution_id: UUID, signal: Signal, seen: LoadedExecution | None = None
    ) -> Run:
        """Let something happen to an execution; what follows goes on by itself, beside the caller.

        seen   what `look` has just given, which spares another look
        Raises WORKFLOW_NOT_FOUND, and whatever the engine refuses with.
        """
        try:
            run = await self._runner.apply(workspace_id, execution_id, signal, seen)
        except Gone:
            raise not_found(execution_id) from None
        except ExecutionBusyError:
            raise _busy(execution_id) from None
        if run.state.runnable:
            self._here.spawn(run)
        return run

    async def ask(self, workspace_id: UUID, check: OutsideCheck, inputs: JsonObject, seconds: float) -> CheckResult:
        """What a check says outside of any step. Raises `StepFailure`, and `TimeoutError` after so many seconds."""
        return await self._runner.ask(workspace_id, check, inputs, seconds)

    async def look(
        self, workspace_id: UUID, execution_id: UUID, beside: str | None = None
    ) -> tuple[LoadedExecution, Definition]:
        """An execution as it stands now, and what is `beside` it (`Store.load`). Raises WORKFLOW_NOT_FOUND."""
        await self._require(workspace_id, execution_id)
        try:
            return await self._runner.look_closely(workspace_id, execution_id, beside)
        except Gone:
            raise not_found(execution_id) from None

    async def _found(self, workspace_id: UUID, execution_id: UUID) -> ExecutionView:
        """An execution as it is, if whoever asks may do what they ask for. Raises WORKFLOW_NOT_FOUND."""
        view = await self._repository.find(workspace_id, execution_id)
        if view is None:
            raise not_found(execution_id)
        require_reached("definition", view.definition_id, VIEWED, partial(not_found, execution_id))
        return view

    async def _require(self, workspace_id: UUID, execution_id: UUID) -> None:
        """As `_found`, for what looks at the execution in another way."""
        now = acting()
        if now is not None and now.of == "definition" and now.permission not in now.caller.permissions:
            await self._found(workspace_id, execution_id)

    async def _shown(self, views: Sequence[ExecutionView]) -> list[ExecutionView]:
        return [
            view
            if sees_personal(view.definition_id)
            else shown_view(view, await self._revisions.compiled(view.workspace_id, view.revision_id))
            for view in views
        ]

    async def mask_of(self, workspace_id: UUID, revision_id: UUID, parameters: JsonObject) -> Masking:
        """Hides the personal ones of an execution's parameters."""
        return Masking(personal_parameters(await self._revisions.compiled(workspace_id, revision_id), parameters))

    def _is_cut(self) -> bool:
        """Whether whoever asks sees records in part only."""
        now = acting()
        return now is not None and is_limited(now)

    async def _known_as(self, workspace_id: UUID, filters: ExecutionFilters) -> Sequence[UUID] | None:
        if filters.record_id is None:
            return None
        return await self._records.records.known_as(workspace_id, filters.record_id)

    async def known_as(self, workspace_id: UUID, record_id: UUID, connection: Connection) -> Sequence[UUID]:
        """Every id that leads to the same record or reference, this one among them."""
        return [record_id, *await self._records.records.known_as(workspace_id, record_id, connection)]

    # Starting.

    async def _begin(self, workspace_id: UUID, request: StartRequest, *, alone: bool = False) -> Run | None:
        """The new execution; None if one with this id was started before, by the same request.

        alone   whether it has to do without an end user
        """
        if self._quotas is not None:
            await self._quotas.require_execution(workspace_id)
        given = await self._given(workspace_id, request)

        async def started(published: Published) -> Run | None:
            if alone:
                require_no_user(published)
            identity = await self._identity(workspace_id, request, published.definition, given)
            here = self._here.has_room(workspace_id)
            return await self._runner.start(published.definition, identity, published.revision_id, here=here)

        try:
            run = await self._revisions.judged(workspace_id, request.definition_id, started)
            while run is None:  # another revision was published meanwhile
                run = await started(await self._revisions.published_now(workspace_id, request.definition_id))
        except AlreadyStarted:
            return None
        if request.origin == "API":  # a link, or a token, has an entry of its own
            await self._note("startWorkflow", workspace_id, request.definition_id, request.id)
        return run

    async def _note(self, action: str, workspace_id: UUID, definition_id: UUID, execution_id: UUID) -> None:
        """Have the audit say who did it, a moment later: it costs the request no statement."""
        now = acting()
        if now is not None and self._trail is not None:
            await self._trail.gather_execution(workspace_id, action, now.caller, definition_id, execution_id)

    async def _identity(
        self, workspace_id: UUID, request: StartRequest, definition: Definition, given: JsonObject
    ) -> Identity:
        now = self._clock()
        return Identity(
            id=request.id,
            workspace_id=workspace_id,
            definition_id=request.definition_id,
            execution_type=definition.execution_type,
            parameters=checked_parameters(definition, given, wrong_expiry(request.expires_at, now)),
            created_at=now,
            origin=request.origin,
            record_id=await self._record(workspace_id, definition, request.record_id),
            locale=request.locale,
            expires_at=request.expires_at or definition.expiry(now),
            started_by=_asked_by(),
        )

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
        if kept is None and request.may_lack_parameters:
            return request.parameters or {}
        if kept is None:
            raise errors.PARAMETERS_NOT_FOUND.error(
                f"this workspace has no parameters {request.parameters_id}: store them with POST /parameters",
                "/parametersId",
            )
        return {**kept, **(request.parameters or {})}

    # Going on.

    async def _settled(self, workspace_id: UUID, execution_id: UUID, deadline: float) -> State:
        """The state once the execution ends or rests, whoever works on it; at `deadline` as it stands then."""
        loop = asyncio.get_running_loop()
        while True:
            state, _ = await self._look(workspace_id, execution_id)
            resting = state.wake_at is None and not state.under_way
            if state.status is not Status.RUNNING or resting or loop.time() >= deadline:
                return state
            await asyncio.sleep(max(0.0, min(LOOK_AGAIN, deadline - loop.time())))

    async def _happen(self, workspace_id: UUID, execution_id: UUID, signal: Signal, refusal: Code) -> ExecutionView:
        try:
            run = await self._runner.apply(workspace_id, execution_id, signal)
        except Gone:
            raise not_found(execution_id) from None
        except ExecutionBusyError:
            raise _busy(execution_id) from None
        except NotAllowed as error:
            raise refusal.error(str(error)) from None
        try:
            return await self.find(workspace_id, execution_id)
        finally:
            if run.state.runnable:  # it is this process's to go on with, whatever becomes of the answer
                self._here.spawn(run)

    async def _look(self, workspace_id: UUID, execution_id: UUID) -> tuple[State, Definition]:
        try:
            return await self._runner.look(workspace_id, execution_id)
        except Gone:
            raise not_found(execution_id) from None


def _busy(execution_id: UUID) -> PasserelleError:
    return errors.WORKFLOW_BUSY.error(
        f"too much happens to the execution {execution_id} at once: send the request again"
    )


def _asked_by() -> JsonObject | None:
    now = acting()
    return None if now is None else {"type": now.caller.kind, "id": str(now.caller.id), "name": now.caller.name}
