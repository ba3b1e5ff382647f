"""Tables over HTTP."""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, Query, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.tables.models import Table
from passerelle.tables.preconditions import etag, expected_versions
from passerelle.tables.schemas import TableAnswer, TableBody, TableChangeBody
from passerelle.tables.service import Tables

LoseData = Annotated[bool, Query(alias="loseData", description="Do it even if values of records are lost")]


class HasTables(Protocol):
    """Where the service is found when an endpoint is called."""

    @property
    def tables(self) -> Tables:
        """The service."""


def router(parts: HasTables, cursors: Cursors) -> APIRouter:
    """`/tables` and `/tables/{tableId}`; the id or the name names a table everywhere."""
    routes = APIRouter(tags=["Tables"], route_class=ApiRoute)

    async def answer(table: Table, status: int = 200) -> Response:
        (shown,) = await parts.tables.answers(table.workspace_id, [table])
        return json_answer(shown, status, headers={"ETag": etag(table.version)})

    @routes.post("/tables", response_model=TableAnswer, status_code=201, openapi_extra=takes(TableBody))
    async def create_table(request: Request) -> Response:
        """Make a table with its fields."""
        caller = await principal(request)
        body = await read(request, TableBody)
        return await answer(await parts.tables.create(caller.workspace_id, idempotent_id(request), body), 201)

    @routes.get("/tables", response_model=Page[TableAnswer])
    async def list_tables(
        request: Request,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """Tables by name."""
        caller = await principal(request)
        bound_to = ["tables", str(caller.workspace_id)]
        name = cursors.decode(after, bound_to=bound_to)["name"] if after is not None else ""
        found = await parts.tables.listed(caller.workspace_id, name, limit + 1)
        following = cursors.encode({"name": found[limit - 1].name}, bound_to=bound_to) if len(found) > limit else None
        data = await parts.tables.answers(caller.workspace_id, found[:limit])
        return json_answer(Page(data=data, next=following))

    @routes.get("/tables/{table_id}", response_model=TableAnswer)
    async def read_table(request: Request, table_id: str) -> Response:
        """A table with its fields."""
        caller = await principal(request)
        return await answer(await parts.tables.find_now(caller.workspace_id, table_id))

    @routes.patch("/tables/{table_id}", response_model=TableAnswer, openapi_extra=takes(TableChangeBody))
    async def change_table(request: Request, table_id: str, lose_data: LoseData = False) -> Response:
        """Change a table. `fields` is the whole list; records are not rewritten, however many there are.

        A field, option or table that records still use goes only with `?loseData=true`.
        """
        caller = await principal(request)
        body = await read(request, TableChangeBody)
        table = await parts.tables.change(
            caller.workspace_id, table_id, body, expected=expected_versions(request), lose_data=lose_data
        )
        return await answer(table)

    @routes.delete("/tables/{table_id}", status_code=204)
    async def delete_table(request: Request, table_id: str, lose_data: LoseData = False) -> Response:
        """Delete a table; one with records only with `?loseData=true`."""
        caller = await principal(request)
        await parts.tables.delete(caller.workspace_id, table_id, lose_data=lose_data)
        return Response(status_code=204)

    return routes
