"""Tables over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Path, Query, Response

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.tables.models import Table
from passerelle.tables.preconditions import IfMatch, etag
from passerelle.tables.schemas import TableAnswer, TableBody, TableChangeBody, TablePreview
from passerelle.tables.service import Tables

TableName = Annotated[str, Path(description="The table's id or name")]

LoseData = Annotated[bool, Query(alias="loseData", description="Do it even if values of records are lost")]

_GIVES_YAML: Final[dict[str, Any]] = {
    "responses": {"200": {"description": "The file", "content": {"application/yaml": {"schema": {"type": "string"}}}}}
}


class HasTables(Protocol):
    """Where the service is found when an endpoint is called."""

    @property
    def tables(self) -> Tables:
        """The service."""


def router(parts: HasTables, cursors: Cursors) -> APIRouter:
    """`/tables` and `/tables/{tableId}`; the id or the name names a table everywhere."""
    routes = APIRouter(tags=["Tables"], route_class=ApiRoute)
    _tables(routes, parts, cursors)
    _one(routes, parts)
    return routes


def _tables(routes: APIRouter, parts: HasTables, cursors: Cursors) -> None:
    @routes.post("/tables", status_code=201)
    async def create_table(
        caller: Annotated[Principal, Requires("can_manage_tables")],
        body: JsonBody[TableBody],
        new_id: IdempotentId,
        response: Response,
    ) -> TableAnswer:
        """Make a table with its fields."""
        return await _answer(parts, await parts.tables.create(caller.workspace_id, new_id, body), response)

    @routes.get("/tables")
    async def list_tables(
        caller: Annotated[Principal, Requires("can_view_workspace", of="table")],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[TableAnswer]:
        """Tables by name."""
        bound_to = ["tables", str(caller.workspace_id)]
        name = cursors.name_of(after, bound_to) or ""
        found = await parts.tables.listed(caller.workspace_id, name, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"name": one.name})
        data = await parts.tables.answers(caller.workspace_id, shown)
        return Page[TableAnswer](data=data, next=following)


def _one(routes: APIRouter, parts: HasTables) -> None:
    @routes.get("/tables/{table_id}")
    async def read_table(
        caller: Annotated[Principal, Requires("can_view_workspace", of="table")],
        table_id: TableName,
        response: Response,
    ) -> TableAnswer:
        """A table with its fields."""
        return await _answer(parts, await parts.tables.find_now(caller.workspace_id, table_id), response)

    @routes.patch("/tables/{table_id}")
    async def change_table(
        caller: Annotated[Principal, Requires("can_manage_tables")],
        table_id: TableName,
        body: JsonBody[TableChangeBody],
        expected: IfMatch,
        response: Response,
        lose_data: LoseData = False,
    ) -> TableAnswer:
        """Change a table. `fields` is the whole list; records are not rewritten, however many there are.

        A field, option or table that records still use goes only with `?loseData=true`.
        """
        table = await parts.tables.change(caller.workspace_id, table_id, body, expected=expected, lose_data=lose_data)
        return await _answer(parts, table, response)

    @routes.post("/tables/{table_id}/preview")
    async def preview_table(
        caller: Annotated[Principal, Requires("can_manage_tables")],
        table_id: TableName,
        body: JsonBody[TableChangeBody],
    ) -> TablePreview:
        """What a change of a table would do, what records would lose by it, and the table's file as it is then."""
        return await parts.tables.preview(caller.workspace_id, table_id, body)

    @routes.get("/tables/{table_id}/file", response_class=Response, openapi_extra=_GIVES_YAML)
    async def read_table_file(
        caller: Annotated[Principal, Requires("can_view_workspace")], table_id: TableName
    ) -> Response:
        """The table as a file, `tables/NAME.yaml`, which `passerelle push` takes."""
        return Response(await parts.tables.file(caller.workspace_id, table_id), media_type="application/yaml")

    @routes.delete("/tables/{table_id}", status_code=204)
    async def delete_table(
        caller: Annotated[Principal, Requires("can_manage_tables")], table_id: TableName, lose_data: LoseData = False
    ) -> None:
        """Delete a table; one with records only with `?loseData=true`."""
        await parts.tables.delete(caller.workspace_id, table_id, lose_data=lose_data)


async def _answer(parts: HasTables, table: Table, response: Response) -> TableAnswer:
    response.headers["ETag"] = etag(table.version)
    (shown,) = await parts.tables.answers(table.workspace_id, [table])
    return shown
