"""Single records over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from passerelle.errors import PasserelleError
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal, principal
from passerelle.kit.http.bodies import BODY_NOT_OBJECT, read_json, takes
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.ids import parse_id
from passerelle.kit.json import JsonObject
from passerelle.records.errors import RECORD_NOT_FOUND
from passerelle.records.models import Author, Record
from passerelle.records.parts import RecordParts
from passerelle.records.schemas import RecordAnswer, RecordValues
from passerelle.tables.models import Table
from passerelle.tables.preconditions import etag, expected_versions

RECORDS = "/tables/{table_id}/records"
RECORD = RECORDS + "/{record_id}"


def parameter(name: str, place: str, description: str) -> dict[str, Any]:
    """A text parameter for the OpenAPI document.

    The endpoints that are called most take their parameters from the request themselves: the framework's way
    costs more than the rest of a small request.
    """
    facts = {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}}
    return facts | ({"description": description} if description else {})


IN_TABLE = {"parameters": [parameter("table_id", "path", "The table's id or name")]}
OF_RECORD = {"parameters": [*IN_TABLE["parameters"], parameter("record_id", "path", "")]}


def router(parts: RecordParts) -> APIRouter:
    """`/tables/{tableId}/records` and one record below it."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.post(RECORDS, response_model=RecordAnswer, status_code=201, openapi_extra=takes(RecordValues) | IN_TABLE)
    async def create_record(request: Request) -> Response:
        """Make a record from values by field name."""
        caller = await principal(request)
        values = await read_object(request)
        table, record = await parts.records.create(
            caller.workspace_id, table_of(request), values, author_of(caller), record_id=idempotent_id(request)
        )
        return answer(table, record, 201)

    @routes.get(RECORD, response_model=RecordAnswer, openapi_extra=OF_RECORD)
    async def read_record(request: Request) -> Response:
        """A record. One that was merged into another answers with that one."""
        caller = await principal(request)
        record_id = id_of(request.path_params["record_id"])
        return answer(*await parts.records.read(caller.workspace_id, table_of(request), record_id))

    @routes.patch(RECORD, response_model=RecordAnswer, openapi_extra=takes(RecordValues))
    async def change_record(request: Request, table_id: str, record_id: str) -> Response:
        """Change the fields that the body names; null empties one. `If-Match` refuses to overwrite newer changes."""
        caller = await principal(request)
        values = await read_object(request)
        table, record = await parts.records.merge_values(
            caller.workspace_id,
            table_id,
            id_of(record_id),
            values,
            author_of(caller),
            expected=expected_versions(request),
        )
        return answer(table, record)

    @routes.put(RECORD, response_model=RecordAnswer, openapi_extra=takes(RecordValues))
    async def replace_record(request: Request, table_id: str, record_id: str) -> Response:
        """Give a record these values and no others."""
        caller = await principal(request)
        values = await read_object(request)
        table, record = await parts.records.replace(
            caller.workspace_id,
            table_id,
            id_of(record_id),
            values,
            author_of(caller),
            expected=expected_versions(request),
        )
        return answer(table, record)

    @routes.delete(
        RECORD,
        status_code=204,
        responses={200: {"description": "With `erase`: how much was erased of what", "model": dict[str, int]}},
    )
    async def delete_record(
        request: Request,
        table_id: str,
        record_id: str,
        erase: Annotated[
            bool,
            Query(description="Erase its values for good, here and in its executions; answers with counts by kind"),
        ] = False,
    ) -> Response:
        """Delete a record; `POST …/restore` brings it back for 30 days, unless it was erased."""
        caller = await principal(request)
        if erase:
            return json_answer(
                await parts.erasing.erase(caller.workspace_id, table_id, id_of(record_id), author_of(caller))
            )
        await parts.records.delete(
            caller.workspace_id, table_id, id_of(record_id), author_of(caller), expected=expected_versions(request)
        )
        return Response(status_code=204)

    @routes.post(RECORD + "/restore", response_model=RecordAnswer)
    async def restore_record(request: Request, table_id: str, record_id: str) -> Response:
        """Bring back a record that was deleted within 30 days."""
        caller = await principal(request)
        return answer(*await parts.records.restore(caller.workspace_id, table_id, id_of(record_id), author_of(caller)))

    @routes.put(RECORDS + "/by/{field}/{value:path}", response_model=RecordAnswer, openapi_extra=takes(RecordValues))
    async def upsert_record(request: Request, table_id: str, field: str, value: str) -> Response:
        """Change the record that has this value in a unique field, or make one: 201 where it is new."""
        caller = await principal(request)
        values = await read_object(request)
        table, written = await parts.records.upsert_text(
            caller.workspace_id, table_id, field, value, values, author_of(caller)
        )
        return answer(table, written.record, 201 if written.created else 200)

    return routes


def table_of(request: Request) -> str:
    """The table that the address names, by its id or its name."""
    reference: str = request.path_params["table_id"]
    return reference


def answer(table: Table, record: Record, status: int = 200) -> Response:
    """A record with its `ETag`."""
    return json_answer(record.to_json(table), status, headers={"ETag": etag(record.version)})


def author_of(caller: Principal) -> Author:
    """Whoever calls, as histories name them."""
    return Author(caller.name)


def id_of(text: str) -> UUID:
    """A record's id. Raises RECORD_NOT_FOUND for what cannot be one."""
    found = parse_id(text)
    if found is None:
        raise not_an_id(text)
    return found


def not_an_id(text: str) -> PasserelleError:
    """RECORD_NOT_FOUND for a text that is no id."""
    return RECORD_NOT_FOUND.error(f"`{text[:80]}` is not the id of a record: ids are UUIDs")


async def read_object(request: Request) -> JsonObject:
    """The body as values by field name. Raises what `read_json` raises, and BODY_NOT_OBJECT."""
    body = await read_json(request)
    if not isinstance(body, dict):
        raise BODY_NOT_OBJECT.error("the body must be a JSON object with the record's values: send `{…}`")
    return body
