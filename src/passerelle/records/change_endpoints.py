"""Many records changed by one call, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field as Described

from passerelle.kit.errors import Problem
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.permissions import Requires
from passerelle.records.changes import MOST_CHANGES, ChangeResult, Deed, WantedChange
from passerelle.records.endpoints import RECORDS, TableName, author_of
from passerelle.records.parts import RecordServices
from passerelle.records.schemas import RecordAnswer
from passerelle.records.sight import sight_of
from passerelle.tables.models import Table


class OneChange(Body):
    """One change of one record."""

    do: Literal["create", "update", "delete", "restore"] = Described(
        default="update", description="What to do with the record"
    )
    id: UUID | None = Described(default=None, description="The record's id; none for a new one")
    version: int | None = Described(
        default=None, ge=1, description="The version that the change rests on: refused if it is older"
    )
    values: dict[str, Any] = Described(default={}, description="Values by field name; null empties a field")


class ChangesBody(Body):
    """Changes of records of one table."""

    changes: list[OneChange] = Described(min_length=1, max_length=MOST_CHANGES)
    """What to do, in this order."""
    dry_run: bool = Described(default=False, description="Only say what would come of it")
    all_or_nothing: bool = Described(default=False, description="Keep nothing where one is refused")


class ChangeProblem(Answer):
    """Why a change is refused."""

    code: str
    """The error's code."""
    message: str
    """What is wrong and what to do."""
    pointer: str | None
    """The field, such as `/email`; null where it is about the record."""


class OneResult(Answer):
    """What one change came to."""

    refused: bool
    """Whether it was refused."""
    record: RecordAnswer | None
    """The record as it is now; null where it is deleted, or the change was refused."""
    errors: list[ChangeProblem]
    """Why it was refused."""


class ChangesAnswer(Answer):
    """What the changes came to, in the order of the request."""

    written: bool
    """Whether anything was kept: not of a dry run, and not of `allOrNothing` where one was refused."""
    refused: int
    """How many were refused."""
    results: list[OneResult]
    """One for each change."""


def router(parts: RecordServices) -> APIRouter:
    """`/tables/{tableId}/records/changes`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.post(RECORDS + "/changes")
    async def change_records(
        caller: Annotated[Principal, Requires("can_edit_data", of="table")],
        table_id: TableName,
        body: JsonBody[ChangesBody],
        new_id: IdempotentId,
    ) -> ChangesAnswer:
        """Make, change, delete and restore up to 500 records of a table in one call.

        Each change is taken or refused by itself, unless `allOrNothing` is set. A dry run answers with the same report
        and keeps nothing.
        """
        wanted = [_wanted(one, place, new_id) for place, one in enumerate(body.changes)]
        done = await parts.changing.run(
            caller.workspace_id,
            table_id,
            wanted,
            author_of(caller),
            dry_run=body.dry_run,
            all_or_nothing=body.all_or_nothing,
        )
        results = [_result(done.table, one) for one in done.results]
        return ChangesAnswer(written=done.written, refused=sum(one.refused for one in results), results=results)

    return routes


def _wanted(one: OneChange, place: int, request_id: UUID) -> WantedChange:
    deed: Deed = "create" if one.do == "update" and one.id is None else one.do
    # Follows from the request's id: sent again after a lost answer, it makes the same records.
    record_id = one.id or UUID(int=request_id.int >> 10 << 10 | place)
    return WantedChange(deed, record_id, one.version, one.values)


def _result(table: Table, result: ChangeResult) -> OneResult:
    return OneResult(
        refused=bool(result.problems),
        record=RecordAnswer.model_validate(sight_of(table).json(result.record)) if result.record is not None else None,
        errors=[_problem(one) for one in result.problems],
    )


def _problem(problem: Problem) -> ChangeProblem:
    return ChangeProblem(code=problem.code, message=problem.message, pointer=problem.pointer)
