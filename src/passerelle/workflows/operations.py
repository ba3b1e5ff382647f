"""Retrying and cancelling many executions at once, and what would come of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from passerelle.engine.model import ENDED, Status
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.pages import After, Cursors
from passerelle.kit.http.permissions import Requires
from passerelle.workflows import errors
from passerelle.workflows.models import ExecutionFilters, ExecutionView
from passerelle.workflows.overview import Narrowed
from passerelle.workflows.service import Executions

AT_ONCE: Final = 100
"""Executions that one request acts on; `next` leads to the others."""

Action = Literal["retry", "cancel"]
Outcome = Literal["done", "possible", "refused"]


class OperationBody(Body):
    """What is done with executions."""

    action: Action = Field(description="What is done with each.")
    workflow_ids: list[UUID] | None = Field(
        default=None,
        min_length=1,
        max_length=AT_ONCE,
        strict=False,
        description="These executions; without it, those that the filters of the query find, newest first.",
    )
    dry_run: bool = Field(default=False, description="Only say what would come of it.")
    reason: str | None = Field(default=None, max_length=500, description="With `cancel`: why; kept with each.")
    definition: Literal["original", "latest"] = Field(
        default="original", description="With `retry`: the revision to go on with."
    )


class OperationResult(Answer):
    """What became of one execution, or would."""

    workflow_id: UUID
    """The execution."""
    name: str
    """Its definition's name."""
    outcome: Outcome
    """Whether it was done, could be done, or cannot be done."""
    step: str | None = Field(description="With `retry`: the step that it goes on with.")
    code: str | None = Field(description="Why it cannot be done; null where it can.")
    message: str | None
    """The same for people."""


class OperationAnswer(Answer):
    """What became of some executions. `next` is the `after` of the following call; null where these were all."""

    results: list[OperationResult]
    """One for each execution."""
    next: str | None
    """The `after` of the following call."""


def add_operations(routes: APIRouter, executions: Executions, cursors: Cursors) -> None:
    """`POST /workflows/operations`."""

    @routes.post("/workflows/operations")
    async def operate_workflows(
        caller: Annotated[Principal, Requires("can_operate_executions", of="definition")],
        filters: Narrowed,
        body: JsonBody[OperationBody],
        after: After = None,
    ) -> OperationAnswer:
        """Retry or cancel many executions: those that are named, or those that filters find, a hundred a call.

        Each is done by itself: what cannot be done is told and holds up nothing. Call it again with `after` while it
        answers with `next`. With `dryRun` nothing changes.
        """
        views, following = await _chosen(executions, cursors, caller, filters, body, after)
        results = [await _operated(executions, caller.workspace_id, view, body) for view in views]
        return OperationAnswer(results=results, next=following)


async def _chosen(
    executions: Executions, cursors: Cursors, caller: Principal, filters: ExecutionFilters, body: OperationBody,
    after: str | None,
) -> tuple[Sequence[ExecutionView], str | None]:  # fmt: skip
    if body.workflow_ids is not None:
        wanted = dict.fromkeys(body.workflow_ids)
        return [await executions.find(caller.workspace_id, one) for one in wanted], None
    if filters == ExecutionFilters(begun=filters.begun):
        raise errors.OPERATION_UNBOUND.error("name executions in `workflowIds`, or a filter such as `?status=FAILED`")
    bound_to = ["operations", str(caller.workspace_id), body.action, repr(filters)]
    before = cursors.id_of(after, bound_to)
    views = await executions.page(caller.workspace_id, filters, before, AT_ONCE + 1)
    return cursors.cut(views, AT_ONCE, bound_to, lambda one: {"id": one.id})


async def _operated(
    executions: Executions, workspace_id: UUID, view: ExecutionView, body: OperationBody
) -> OperationResult:
    step = (view.error or {}).get("step") if body.action == "retry" else None
    result = OperationResult(
        workflow_id=view.id, name=view.name, outcome="possible", step=step, code=None, message=None
    )
    if why := _why_not(view, body.action):
        return result.model_copy(update={"outcome": "refused", "code": why[0], "message": why[1]})
    if body.dry_run:
        return result
    try:
        if body.action == "retry":
            await executions.retry(workspace_id, view.id, body.definition)
        else:
            await executions.cancel(workspace_id, view.id, body.reason)
    except PasserelleError as error:
        first = error.problems[0]
        return result.model_copy(update={"outcome": "refused", "code": first.code, "message": first.message})
    return result.model_copy(update={"outcome": "done"})


def _why_not(view: ExecutionView, action: Action) -> tuple[str, str] | None:
    if action == "retry" and view.status is not Status.FAILED:
        return errors.WORKFLOW_NOT_FAILED.name, f"only a FAILED execution can be retried; this one is {view.status}"
    if action == "cancel" and view.status in ENDED:
        return errors.WORKFLOW_ENDED.name, f"the execution has ended as {view.status}"
    return None
