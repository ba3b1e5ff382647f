"""Single records over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.permissions import Requires, require, require_fresh
from passerelle.kit.ids import parse_id
from passerelle.records.errors import RECORD_NOT_FOUND
from passerelle.records.models import Author, Record
from passerelle.records.parts import RecordServices
from passerelle.records.schemas import ErasedAnswer, RecordAnswer, RecordValues
from passerelle.records.sight import sight_of
from passerelle.tables.models import Table
from passerelle.tables.preconditions import IfMatch, etag

RECORDS = "/tables/{table_id}/records"
RECORD = RECORDS + "/{record_id}"


TableName = Annotated[str, Path(description="The table's id or name")]
RecordId = Annotated[str, Path(description="The record's id")]


def router(parts: RecordServices) -> APIRouter:
    """`/tables/{tableId}/records` and one record below it."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)
    _one(routes, parts)
    _changes(routes, parts)
    _deletion(routes, parts)
    _upsert(routes, parts)
    return routes


def _one(routes: APIRouter, parts: RecordServices) -> None:
    @routes.post(RECORDS, status_code=201)
    async def create_record(
        caller: Annotated[Principal, Requires("can_edit_data", of="table")],
        table_id: TableName,
        values: JsonBody[RecordValues],
        new_id: IdempotentId,
        response: Response,
    ) -> RecordAnswer:
        """Make a record from values by field name."""
        table, record = await parts.records.create(
            caller.workspace_id, table_id, values.given, author_of(caller), record_id=new_id
        )
        return answer(table, record, response)

    @routes.get(RECORD)
    async def read_record(
        caller: Annotated[Principal, Requires("can_read_data", of="table")],
        table_id: TableName,
        record_id: RecordId,
        response: Response,
    ) -> RecordAnswer:
        """A record. One that was merged into another answers with that one."""
        return answer(*await parts.records.read(caller.workspace_id, table_id, id_of(record_id)), response)


def _changes(routes: APIRouter, parts: RecordServices) -> None:
    @routes.patch(RECORD)
    async def change_record(
        caller: Annotated[Principal, Requires("can_edit_data", of="table")],
        table_id: TableName,
        record_id: RecordId,
        values: JsonBody[RecordValues],
        expected: IfMatch,
        response: Response,
    ) -> RecordAnswer:
        """Change the fields that the body names; null empties one. `If-Match` refuses to overwrite newer changes."""
        table, record = await parts.records.merge_values(
            caller.workspace_id,
            table_id,
            id_of(record_id),
            values.given,
            author_of(caller),
            expected=expected,
        )
        return answer(table, record, response)

    @routes.put(RECORD)
    async def replace_record(
        caller: Annotated[Principal, Requires("can_edit_data", of="table")],
        table_id: TableName,
        record_id: RecordId,
        values: JsonBody[RecordValues],
        expected: IfMatch,
        response: Response,
    ) -> RecordAnswer:
        """Give a record these values and no others."""
        table, record = await parts.records.replace(
            caller.workspace_id,
            table_id,
            id_of(record_id),
            values.given,
            author_of(caller),
            expected=expected,
        )
        return answer(table, record, response)


def _deletion(routes: APIRouter, parts: RecordServices) -> None:
    @routes.delete(
        RECORD,
        status_code=204,
        responses={200: {"description": "With `erase`: how much was erased of what", "model": ErasedAnswer}},
        response_model=None,
    )
    async def delete_record(
        caller: Annotated[Principal, Requires("can_edit_data", of="table")],
        table_id: TableName,
        record_id: RecordId,
        expected: IfMatch,
        erase: Annotated[
            bool,
            Query(description="Erase its values for good, here and in its executions; answers with counts by kind"),
        ] = False,
    ) -> Response | None:
        """Delete a record; `POST …/restore` brings it back for 30 days, unless it was erased."""
        if erase:
            # All of a person goes, whatever part of it somebody may edit.
            require(caller, "can_edit_data")
            require(caller, "can_erase")
            require_fresh(caller)
            counts = await parts.erasing.erase(caller.workspace_id, table_id, id_of(record_id), author_of(caller))
            return json_answer(ErasedAnswer(counts))
        await parts.records.delete(
            caller.workspace_id, table_id, id_of(record_id), author_of(caller), expected=expected
        )
        return None

    @routes.post(RECORD + "/erasure")
    @unaudited("it changes nothing")
    async def preview_erasure(
        caller: Annotated[Principal, Requires("can_erase")], table_id: TableName, record_id: RecordId
    ) -> ErasedAnswer:
        """What `DELETE …?erase=true` would erase, counted by kind, or why it would be refused; nothing is changed."""
        require(caller, "can_read_data")
        counts = await parts.erasing.preview(caller.workspace_id, table_id, id_of(record_id), author_of(caller))
        return ErasedAnswer(counts)

    @routes.post(RECORD + "/restore")
    async def restore_record(
        caller: Annotated[Principal, Requires("can_edit_data", of="table")],
        table_id: TableName,
        record_id: RecordId,
        response: Response,
    ) -> RecordAnswer:
        """Bring back a record that was deleted within 30 days."""
        restored = await parts.records.restore(caller.workspace_id, table_id, id_of(record_id), author_of(caller))
        return answer(*restored, response)


def _upsert(routes: APIRouter, parts: RecordServices) -> None:
    @routes.put(RECORDS + "/by/{field}/{value:path}")
    async def upsert_record(
        caller: Annotated[Principal, Requires("can_edit_data", of="table")],
        table_id: TableName,
        field: Annotated[str, Path(description="The name of a unique field")],
        value: Annotated[str, Path(description="The value that it has, or is to have")],
        values: JsonBody[RecordValues],
        response: Response,
    ) -> RecordAnswer:
        """Change the record that has this value in a unique field, or make one: 201 where it is new."""
        table, written = await parts.upserts.write_at(
            caller.workspace_id, table_id, field, value, values.given, author_of(caller)
        )
        response.status_code = 201 if written.created else 200
        return answer(table, written.record, response)


def answer(table: Table, record: Record, response: Response) -> RecordAnswer:
    """A record with its `ETag`."""
    response.headers["ETag"] = etag(record.version)
    return RecordAnswer.model_validate(sight_of(table).json(record))


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
