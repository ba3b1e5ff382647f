"""Duplicates over HTTP: finding and merging them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.pages import DEFAULT_LIMIT, limit_of
from passerelle.records.endpoints import RECORD, answer, author_of, id_of
from passerelle.records.parts import RecordParts
from passerelle.records.schemas import DuplicatesAnswer, DuplicatesBody, MergeBody, RecordAnswer
from passerelle.tables.preconditions import expected_versions


def router(parts: RecordParts) -> APIRouter:
    """`/tables/{tableId}/duplicates` and `…/records/{recordId}/merge`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.post("/tables/{table_id}/duplicates", response_model=DuplicatesAnswer, openapi_extra=takes(DuplicatesBody))
    async def find_duplicates(request: Request, table_id: str) -> Response:
        """Pairs of records that are the same, or nearly, in chosen fields.

        Records that are equal in the `exact` fields are compared by the `near` ones: up to 50 each with each, more
        with their 30 neighbours in three orders of their words. So 100,000 records take some seconds; more are
        refused, and narrowed by `filter`.
        """
        caller = await principal(request)
        body = await read(request, DuplicatesBody)
        limit = limit_of(str(body.limit)) if body.limit is not None else DEFAULT_LIMIT
        wanted = [(one.field, one.match, one.least) for one in body.fields]
        return json_answer(await parts.duplicates.find(caller.workspace_id, table_id, wanted, body.filter, limit))

    @routes.post(RECORD + "/merge", response_model=RecordAnswer, openapi_extra=takes(MergeBody))
    async def merge_records(request: Request, table_id: str, record_id: str) -> Response:
        """Merge another record into this one, which from then on answers for both ids.

        It keeps its values, and gets the other's where it has none. Comments and files move to it; histories and
        executions are shown together. Relations to the other record are led on at once and re-pointed soon after.
        """
        caller = await principal(request)
        body = await read(request, MergeBody)
        table, record = await parts.merging.merge(
            caller.workspace_id,
            table_id,
            id_of(record_id),
            id_of(body.from_),
            body.fields,
            author_of(caller),
            expected=expected_versions(request),
        )
        return answer(table, record)

    return routes
