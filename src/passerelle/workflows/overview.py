"""What screens show beside single executions: how many there are, what fails, and the graph behind one."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field

from passerelle.graphs.models import Graph, GraphNode, Shape, graph_of
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bounds import AnyTime, Number32
from passerelle.kit.http.permissions import Requires
from passerelle.workflows.models import ExecutionFilters, FailureGroup
from passerelle.workflows.service import Executions

Status = Literal["RUNNING", "AWAITING", "COMPLETED", "FAILED", "EXPIRED", "CANCELLED"]

MOST_COUNTED: Final = 10_000
"""Nothing is counted further: a number that large tells people nothing more."""


async def _filters(
    status: Annotated[Status | None, Query(description="Only executions in this status")] = None,
    workflow_definition_id: Annotated[
        UUID | None, Query(alias="workflowDefinitionId", description="Only of this definition")
    ] = None,
    record_id: Annotated[
        UUID | None, Query(alias="recordId", description="Only those that concern this record")
    ] = None,
    parent_id: Annotated[
        UUID | None, Query(alias="parentId", description="Only executions that steps of this one started")
    ] = None,
    created_from: Annotated[AnyTime | None, Query(alias="createdFrom", description="ISO 8601")] = None,
    created_before: Annotated[AnyTime | None, Query(alias="createdBefore", description="ISO 8601")] = None,
    error_code: Annotated[
        str | None, Query(alias="errorCode", max_length=200, description="Only those that ended with this error")
    ] = None,
    waiting_for: Annotated[
        str | None,
        Query(alias="waitingFor", max_length=100, description="The kind of step that they rest at, or `retry`"),
    ] = None,
    step: Annotated[
        str | None, Query(max_length=200, description="Only those that rest at this step, or failed at it")
    ] = None,
    revision: Annotated[
        Number32 | None, Query(description="Only those that run this revision of their definition")
    ] = None,
    unused: Annotated[bool, Query(description="Also those whose link or token nobody has used")] = False,
) -> ExecutionFilters:
    return ExecutionFilters(
        status,
        workflow_definition_id,
        record_id,
        created_from,
        created_before,
        parent_id,
        error_code,
        waiting_for,
        revision,
        step=step,
        begun=not unused,
    )


Narrowed = Annotated[ExecutionFilters, Depends(_filters)]
"""What a list or a count of executions is narrowed by, in the query."""


class CountsAnswer(Answer):
    """How many executions there are."""

    counts: dict[str, int] = Field(description="By status.")
    at_most: int = Field(description="Nothing is counted further: so many means that there may be more.")


class FailureAnswer(Answer):
    """Failed executions of one definition with the same error."""

    code: str | None
    """The error's code; null where it has none."""
    workflow_definition_id: UUID
    """The definition."""
    name: str
    """The definition's name."""
    count: int
    """How many executions failed so."""
    latest_id: UUID
    """The latest of them."""
    latest_message: str | None
    """What its error says; null where it says nothing."""
    latest_date: Moment
    """When it failed."""


class FailuresAnswer(Answer):
    """What fails, the most frequent first. Of more than `atMost` failed executions only the newest are grouped."""

    data: list[FailureAnswer]
    """The groups."""
    at_most: int
    """Only so many of the newest executions are looked at."""


class EdgeAnswer(Answer):
    """One way on."""

    source: str
    """The id of the point that it leaves."""
    target: str
    """The id of the point that it leads to."""
    label: str = Field(description="The condition, as the definition has it.")
    error: bool = Field(description="Whether it is what follows a failure.")


class NodeAnswer(Answer):
    """One point of the flow."""

    id: str
    """Names the point in the ways."""
    shape: Shape = Field(
        description="`choice` is a `switch`, `skip` the point where a `when` decides, `group` a step with steps inside."
    )
    step: str | None = Field(description="The step that stands here.")
    kind: str | None
    """The step's kind; null where no step stands here."""
    title: Any = Field(description="A text, or one for each language.")
    inner: list[InnerAnswer]
    """The lists of steps inside of it."""
    fields: dict[str, Any] = Field(description="What a form calls its fields: a text each, or one for each language.")


class InnerAnswer(Answer):
    """A list of steps inside of a step."""

    name: str
    """What the list is called."""
    graph: GraphAnswer = Field(description="Its flow.")


class GraphAnswer(Answer):
    """A list of steps: its points in the order of the text, and the ways between them."""

    nodes: list[NodeAnswer]
    """The points, in the order of the text."""
    edges: list[EdgeAnswer]
    """The ways between them."""


NodeAnswer.model_rebuild()
InnerAnswer.model_rebuild()


def add_overview(routes: APIRouter, executions: Executions) -> None:
    """`GET /workflows/counts`, `/workflows/failures` and `/workflows/{workflowId}/graph`."""

    @routes.get("/workflows/counts")
    async def count_workflows(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")], filters: Narrowed
    ) -> CountsAnswer:
        """How many executions there are in each status; the filters are those of the list."""
        counts = await executions.count(caller.workspace_id, filters, MOST_COUNTED)
        return CountsAnswer(counts=counts, at_most=MOST_COUNTED)

    @routes.get("/workflows/failures")
    async def list_failures(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
    ) -> FailuresAnswer:
        """Failed executions that nobody has retried yet, grouped by definition and error."""
        groups = await executions.failures(caller.workspace_id, MOST_COUNTED)
        return FailuresAnswer(data=[_failure(group) for group in groups], at_most=MOST_COUNTED)

    @routes.get("/workflows/{workflow_id}/graph")
    async def read_graph(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
        workflow_id: Annotated[UUID, Path(description="The execution's id")],
    ) -> GraphAnswer:
        """The flow of the revision that an execution runs on, as points and ways."""
        _, definition = await executions.look(caller.workspace_id, workflow_id)
        return graph_answer(graph_of(definition))


def graph_answer(graph: Graph) -> GraphAnswer:
    """A flow as the API shows it."""
    return GraphAnswer(
        nodes=[_node(node) for node in graph.nodes],
        edges=[EdgeAnswer.made_from(e) for e in graph.edges],
    )


def _node(node: GraphNode) -> NodeAnswer:
    inner = [InnerAnswer(name=name, graph=graph_answer(graph)) for name, graph in node.inner]
    return NodeAnswer.made_from(node, inner=inner, fields=dict(node.fields))


def _failure(group: FailureGroup) -> FailureAnswer:
    return FailureAnswer.made_from(group, workflow_definition_id=group.definition_id, latest_date=group.latest_at)
