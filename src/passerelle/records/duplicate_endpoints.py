"""Duplicates over HTTP: finding and merging them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.pages import DEFAULT_LIMIT, limit_of
from passerelle.kit.http.permissions import Requires
from passerelle.records.endpoints import RECORD, RecordId, TableName, answer, author_of, id_of
from passerelle.records.parts import RecordServices
from passerelle.records.schemas import DuplicatesAnswer, DuplicatesBody, MergeBody, RecordAnswer
from passerelle.tables.preconditions import IfMatch


def router(parts: RecordServices) -> APIRouter:
    """`/tables/{tableId}/duplicates` and `…/records/{recordId}/merge`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.post("/tables/{table_id}/duplicates")
    async def find_duplicates(
        caller: Annotated[Principal, Requires("can_read_data", of="table")],
        table_id: TableName,
        body: JsonBody[DuplicatesBody],
    ) -> DuplicatesAnswer:
        """Pairs of records that are the same, or nearly, in chosen fields.

        Records that are equal in the `exact` fields are compared by the `near` ones: up to 50 each with each, more
        with their 30 neighbours in three orders of their words. So 100,000 records take some seconds; more are
        refused, and narrowed by `filter`.
        """
        limit = limit_of(str(body.limit)) if body.limit is not None else DEFAULT_LIMIT
        wanted = [(one.field, one.match, one.least) for one in body.fields]
        found = await parts.duplicates.find(caller.workspace_id, table_id, wanted, body.filter, limit)
        return DuplicatesAnswer.model_validate(found)

    @routes.post(RECORD + "/merge")
    async def merge_records(
        caller: Annotated[Principal, Requires("can_edit_data", of="table")],
        table_id: TableName,
        record_id: RecordId,
        body: JsonBody[MergeBody],
        expected: IfMatch,
        response: Response,
    ) -> RecordAnswer:
        """Merge another record into this one, which from then on answers for both ids.

        It keeps its values, and gets the other's where it has none. Comments and files move to it; histories and
        executions are shown together. Relations to the other record are led on at once and re-pointed soon after.
        """
        table, record = await parts.merging.merge(
            caller.workspace_id,
            table_id,
            id_of(record_id),
            id_of(body.from_),
            body.fields,
            author_of(caller),
            expected=expected,
        )
        return answer(table, record, response)

    return routes
