"""Operations: what is to be done to many executions, done to one after the other by a job.

Each execution is a commit of its own, noted with how far the operation has come: a process that dies leaves one at most
whose result is told as if another had done it. What cannot be done is told, and holds up nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from passerelle.engine.model import ENDED, Status
from passerelle.kit.clock import Clock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.authentication import Principal
from passerelle.kit.jobs import Handler, JobRunning
from passerelle.workflows import errors
from passerelle.workflows.models import ExecutionFilters, ExecutionView
from passerelle.workflows.operations.models import (
    BulkOperation,
    OperationRequest,
    OperationResult,
    OperationStatus,
    OperationSummary,
)
from passerelle.workflows.operations.repository import JOB, OperationRepository
from passerelle.workflows.service import Executions
from passerelle.workflows.shown import narrowed

AT_ONCE: Final = 50
"""Executions that are looked at together."""
MOST_COUNTED: Final = 10_000
KEPT: Final = timedelta(days=30)
LOOK_AGAIN: Final = 0.05
OPERATES: Final = "can_operate_executions"

_FILTERS: Final = TypeAdapter(ExecutionFilters)


class Operations:
    """The operations of every workspace."""

    def __init__(
        self, repository: OperationRepository, executions: Executions, clock: Clock, run_wait: timedelta
    ) -> None:
        self._repository = repository
        self._executions = executions
        self._clock = clock
        self._run_wait = run_wait

    async def start(self, workspace_id: UUID, wish: OperationRequest) -> OperationSummary:
        """Begin an operation. It goes on by itself; what it has come to when it is done, or `run_wait` is over.

        Raises OPERATION_UNBOUND.
        """
        if wish.only is None and wish.filters == ExecutionFilters(begun=wish.filters.begun):
            raise errors.OPERATION_UNBOUND.error(
                "name executions in `workflowIds`, or a filter such as `?status=FAILED`"
            )
        now = self._clock()
        # What begins from now on is not meant.
        bound = min(wish.filters.created_before or now, now)
        filters = narrowed(replace(wish.filters, created_before=bound) if wish.only is None else ExecutionFilters())
        total, exact = await self._total(workspace_id, wish, filters)
        operation = BulkOperation(
            id=wish.id,
            workspace_id=workspace_id,
            action=wish.action,
            only=None if wish.only is None else tuple(sorted(set(wish.only), reverse=True)),
            filters=_FILTERS.dump_python(filters, mode="json"),
            dry_run=wish.dry_run,
            reason=wish.reason,
            definition=wish.definition,
            status=OperationStatus.RUNNING,
            position=None,
            total=total,
            total_exact=exact,
            looked_at=0,
            created_at=now,
            created_by=wish.by,
            completed_at=None,
        )
        await self._repository.create(operation)
        return await self._settled(operation)

    async def find(self, caller: Principal, operation_id: UUID) -> OperationSummary:
        """An operation and what it has come to. Raises OPERATION_NOT_FOUND."""
        return await self._summary(await self._found(caller, operation_id))

    async def page(self, caller: Principal, before: UUID | None, limit: int) -> list[OperationSummary]:
        """Operations, newest first; of who may operate some definitions only, their own."""
        found = await self._repository.page(caller.workspace_id, before, _only_of(caller), limit)
        return [await self._summary(one) for one in found]

    async def stop(self, caller: Principal, operation_id: UUID) -> OperationSummary:
        """Leave the executions alone whose turn has not come. Raises OPERATION_NOT_FOUND, OPERATION_OVER."""
        operation = await self._found(caller, operation_id)
        stopped = await self._repository.end(caller.workspace_id, operation.id, OperationStatus.STOPPED, self._clock())
        if not stopped:
            raise errors.OPERATION_OVER.error("the operation has come to its end: there is nothing to stop")
        return await self.find(caller, operation_id)

    async def results(self, caller: Principal, operation_id: UUID) -> AsyncIterator[Sequence[OperationResult]]:
        """What became of each execution, in portions. Raises OPERATION_NOT_FOUND at once."""
        operation = await self._found(caller, operation_id)
        return self._portions(operation)

    def jobs(self) -> Mapping[str, Handler]:
        """What the feature's job does."""
        return {JOB: self.run}

    async def run(self, job: JobRunning) -> None:
        """Go on with an operation until it is done, or stopped."""
        workspace_id = UUID(job.payload["workspaceId"])
        operation = await self._repository.find(workspace_id, UUID(job.payload["operationId"]))
        while operation is not None and operation.status is OperationStatus.RUNNING:
            operation = await self._portion(operation)
            await asyncio.sleep(0)

    async def forget_old(self) -> None:
        """Delete operations whose time is over."""
        before = self._clock() - KEPT
        while await self._repository.forget(before, 10) == 10:
            pass

    async def _total(self, workspace_id: UUID, wish: OperationRequest, filters: ExecutionFilters) -> tuple[int, bool]:
        if wish.only is not None:
            return len(set(wish.only)), True
        counts = await self._executions.count(workspace_id, filters, MOST_COUNTED)
        return sum(counts.values()), max(counts.values(), default=0) < MOST_COUNTED

    async def _portion(self, operation: BulkOperation) -> BulkOperation | None:
        chosen = await self._next(operation)
        if not chosen:
            await self._repository.end(operation.workspace_id, operation.id, OperationStatus.DONE, self._clock())
            return None
        status: OperationStatus | None = operation.status
        for some in [chosen] if operation.dry_run else [[one] for one in chosen]:
            results = [await self._operated(operation, *one) for one in some]
            status = await self._repository.note(operation, results, some[-1][0])
            if status is not OperationStatus.RUNNING:
                return None
        return replace(operation, position=chosen[-1][0])

    async def _next(self, operation: BulkOperation) -> list[tuple[UUID, ExecutionView | None]]:
        """The next executions; None for one that is not there, or not to be operated by who asked."""
        workspace_id, position = operation.workspace_id, operation.position
        filters = _FILTERS.validate_python(operation.filters)
        if operation.only is None:
            found = await self._executions.portion(workspace_id, filters, position, AT_ONCE)
            return [(view.id, view) for view in found]
        ids = [one for one in operation.only if position is None or one < position][:AT_ONCE]
        views = await self._executions.several(workspace_id, ids)
        allowed = filters.definitions
        return [
            (one, view if view is not None and (allowed is None or view.definition_id in allowed) else None)
            for one, view in ((one, views.get(one)) for one in ids)
        ]

    async def _operated(
        self, operation: BulkOperation, execution_id: UUID, view: ExecutionView | None
    ) -> OperationResult:
        if view is None:
            code, message = errors.WORKFLOW_NOT_FOUND.name, "this workspace has no such execution"
            return OperationResult(execution_id, None, "refused", None, code, message)
        step = (view.error or {}).get("step") if operation.action == "retry" else None
        result = OperationResult(view.id, view.name, "possible", step)
        if why := _why_not(view, operation):
            return replace(result, outcome="refused", code=why[0], message=why[1])
        if operation.dry_run:
            return result
        try:
            if operation.action == "retry":
                await self._executions.retry(operation.workspace_id, view.id, operation.definition)
            else:
                await self._executions.cancel(operation.workspace_id, view.id, operation.reason)
        except PasserelleError as error:
            first = error.problems[0]
            return replace(result, outcome="refused", code=first.code, message=first.message)
        return replace(result, outcome="done")

    async def _portions(self, operation: BulkOperation) -> AsyncIterator[Sequence[OperationResult]]:
        before = None
        while found := await self._repository.results(operation.workspace_id, operation.id, before, 1_000):
            yield found
            before = found[-1].execution_id

    async def _found(self, caller: Principal, operation_id: UUID) -> BulkOperation:
        operation = await self._repository.find(caller.workspace_id, operation_id)
        only = _only_of(caller)
        if operation is None or (only is not None and operation.created_by["id"] != only):
            raise errors.OPERATION_NOT_FOUND.error(f"this workspace has no operation {operation_id}")
        return operation

    async def _settled(self, operation: BulkOperation) -> OperationSummary:
        """What it has come to once it is done, whoever does it; at the latest when `run_wait` is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._run_wait.total_seconds()
        while True:
            found = await self._repository.find(operation.workspace_id, operation.id)
            assert found is not None, "it was just written"
            if found.status is not OperationStatus.RUNNING or loop.time() >= deadline:
                return await self._summary(found)
            await asyncio.sleep(LOOK_AGAIN)

    async def _summary(self, operation: BulkOperation) -> OperationSummary:
        return OperationSummary(operation, await self._repository.outcomes(operation.workspace_id, operation.id))


def _only_of(caller: Principal) -> str | None:
    """Whose operations somebody sees: None for everybody's."""
    return None if OPERATES in caller.permissions else str(caller.id)


def _why_not(view: ExecutionView, operation: BulkOperation) -> tuple[str, str] | None:
    if operation.action == "retry" and view.status is not Status.FAILED:
        return errors.WORKFLOW_NOT_FAILED.name, f"only a FAILED execution can be retried; this one is {view.status}"
    if operation.action == "cancel" and view.status in ENDED:
        return errors.WORKFLOW_ENDED.name, f"the execution has ended as {view.status}"
    return None
