"""Finding records over HTTP: the same search as an address or as a body."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.errors import QUERY_INVALID
from passerelle.kit.http.pages import Page, limit_of
from passerelle.kit.json import Json, loads
from passerelle.records.endpoints import IN_TABLE, RECORDS, parameter, table_of
from passerelle.records.models import KEPT_DELETED
from passerelle.records.parts import RecordParts
from passerelle.records.schemas import DeletedAnswer, RecordAnswer, SearchBody

_DESCRIBED = {
    "filter": 'JSON, such as `{"field": "age", "op": "gte", "value": 3}`',
    "text": "Words that the record's texts must have",
    "sort": "Such as `-createdAt,name`; newest first if absent",
    "fields": "Names, separated by commas; all if absent",
    "include": "Relation fields whose records come along, separated by commas",
    "limit": "1 to 500; 25 if absent",
    "after": "`next` of the page before",
}
_PARAMETERS = {
    "parameters": [
        *IN_TABLE["parameters"],
        *(parameter(name, "query", description) for name, description in _DESCRIBED.items()),
    ]
}


def router(parts: RecordParts) -> APIRouter:
    """`GET …/records` and `POST …/records/search`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.get(RECORDS, response_model=Page[RecordAnswer], openapi_extra=_PARAMETERS)
    async def list_records(request: Request) -> Response:
        """Records of a table."""
        caller = await principal(request)
        found = await parts.finding.page(caller.workspace_id, table_of(request), _from_address(request))
        return json_answer({"data": found.data, "next": found.next})

    @routes.post(RECORDS + "/search", response_model=Page[RecordAnswer], openapi_extra=takes(SearchBody))
    async def search_records(request: Request, table_id: str) -> Response:
        """Records of a table, for searches that are too long for an address."""
        caller = await principal(request)
        found = await parts.finding.page(caller.workspace_id, table_id, await read(request, SearchBody))
        return json_answer({"data": found.data, "next": found.next})

    @routes.get("/tables/{table_id}/deleted", response_model=Page[DeletedAnswer])
    async def list_deleted(
        request: Request,
        table_id: str,
        filter: Annotated[str | None, Query(description="As in the list of records")] = None,
        limit: Annotated[str | None, Query(description="1 to 500; 25 if absent")] = None,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """Records that were deleted within 30 days and can be restored, the latest first."""
        caller = await principal(request)
        since = parts.clock() - KEPT_DELETED
        found = await parts.finding.deleted(
            caller.workspace_id, table_id, filter_of(filter), limit_of(limit), after, since
        )
        return json_answer({"data": found.data, "next": found.next})

    return routes


def _from_address(request: Request) -> SearchBody:
    """The search that an address asks for. Raises QUERY_INVALID, LIMIT_INVALID."""
    given = request.query_params
    for name in given:
        if name not in _DESCRIBED:
            raise QUERY_INVALID.error(
                f"there is no parameter `{name}` here: conditions stand in `filter`, "
                f'such as `filter={{"field": "{name}", "op": "eq", "value": …}}`'
            )
    return SearchBody(
        filter=filter_of(given.get("filter")),
        text=given.get("text"),
        sort=_names(given.get("sort")),
        fields=_names(given.get("fields")),
        include=_names(given.get("include")),
        limit=limit_of(given.get("limit")),
        after=given.get("after"),
    )


def filter_of(text: str | None) -> Json:
    """A filter that stands in an address. Raises QUERY_INVALID."""
    if text is None:
        return None
    try:
        value: Any = loads(text)
    except ValueError:
        raise QUERY_INVALID.error("`filter` must be JSON: `POST …/records/search` takes the same as a body") from None
    return value


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",")] if text else None
