"""`/workflows/operations`: many executions retried or cancelled by a job."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path
from starlette.responses import Response, StreamingResponse

from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.records.rows import made_safe
from passerelle.workflows.operations.models import OperationRequest, OperationResult
from passerelle.workflows.operations.schemas import OperationAnswer, OperationBody, operation_answer
from passerelle.workflows.operations.service import OPERATES, Operations
from passerelle.workflows.overview import Narrowed

OperationId = Annotated[UUID, Path(description="The operation's id")]
Operating = Annotated[Principal, Requires(OPERATES, of="definition")]

_CSV: Final = "text/csv"
_COLUMNS: Final = ("execution", "definition", "outcome", "step", "code", "message")
_REPORT: Final = {"responses": {"200": {"description": "The file", "content": {_CSV: {"schema": {"type": "string"}}}}}}


def add_operations(routes: APIRouter, operations: Operations, cursors: Cursors) -> None:
    """Everything under `/workflows/operations`."""

    @routes.post("/workflows/operations", status_code=201)
    async def operate_workflows(
        caller: Operating, filters: Narrowed, body: JsonBody[OperationBody], new_id: IdempotentId
    ) -> OperationAnswer:
        """Retry or cancel many executions: those that are named, or all that filters find.

        Each is done by itself: what cannot be done is told and holds up nothing. With `dryRun` nothing changes.
        Answers when it is done, at the latest after `PASSERELLE_RUN_WAIT` with what it has come to until then; it goes
        on by itself. Operations are kept for 30 days.
        """
        wish = OperationRequest(
            id=new_id,
            action=body.action,
            only=None if body.workflow_ids is None else tuple(body.workflow_ids),
            filters=filters,
            dry_run=body.dry_run,
            reason=body.reason,
            definition=body.definition,
            by={"type": caller.kind, "id": str(caller.id), "name": caller.name},
        )
        return operation_answer(await operations.start(caller.workspace_id, wish))

    @routes.get("/workflows/operations")
    async def list_operations(
        caller: Operating, limit: Limit = DEFAULT_LIMIT, after: After = None
    ) -> Page[OperationAnswer]:
        """Operations, newest first; whoever operates some definitions only sees their own."""
        bound_to = ["operations", str(caller.workspace_id)]
        before = cursors.id_of(after, bound_to)
        found = await operations.page(caller, before, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.operation.id})
        return Page[OperationAnswer](data=[operation_answer(one) for one in shown], next=following)

    @routes.get("/workflows/operations/{operation_id}")
    async def read_operation(caller: Operating, operation_id: OperationId) -> OperationAnswer:
        """An operation and what it has come to so far."""
        return operation_answer(await operations.find(caller, operation_id))

    @routes.get("/workflows/operations/{operation_id}/report", response_class=StreamingResponse, openapi_extra=_REPORT)
    async def read_operation_report(caller: Operating, operation_id: OperationId) -> Response:
        """What became of each execution, as CSV; a `'` stands before what a spreadsheet would take for a formula."""
        portions = await operations.results(caller, operation_id)
        headers = {"Content-Disposition": f'attachment; filename="operation-{operation_id}.csv"'}
        return StreamingResponse(_lines(portions), media_type=_CSV, headers=headers)

    @routes.post("/workflows/operations/{operation_id}/stop")
    async def stop_operation(caller: Operating, operation_id: OperationId) -> OperationAnswer:
        """Leave the executions alone whose turn has not come. What was done stays done."""
        return operation_answer(await operations.stop(caller, operation_id))


async def _lines(portions: AsyncIterator[Sequence[OperationResult]]) -> AsyncIterator[str]:
    yield _csv([_COLUMNS])
    async for results in portions:
        yield _csv((str(one.execution_id), *(made_safe(cell or "") for cell in _cells(one))) for one in results)


def _cells(one: OperationResult) -> tuple[str | None, ...]:
    return one.name, one.outcome, one.step, one.code, one.message


def _csv(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
