"""Import and export over HTTP, streamed both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field as Described

from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import UNSUPPORTED_MEDIA_TYPE, content_type_of
from passerelle.kit.json import dumps
from passerelle.records.endpoints import author_of
from passerelle.records.finding_endpoints import filter_of
from passerelle.records.importing import Mode, Wish, report_json
from passerelle.records.parts import RecordParts
from passerelle.records.rows import Format, cell_of_value, csv_line
from passerelle.records.schemas import SearchBody
from passerelle.tables.models import Table

_FORMATS: dict[str, Format] = {
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/x-jsonlines": "jsonl",
}
_MEDIA_TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
_TAKES_ROWS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "name,age\nAcme,3\n"},
            "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"name": "Acme", "age": 3}\n'},
        },
    }
}
_GIVES_ROWS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: {"schema": {"type": "string"}} for media_type in _MEDIA_TYPES.values()}}
}


class ImportProblem(Answer):
    """Why a row was refused."""

    line: int
    field: str | None
    code: str
    message: str


class ImportReport(Answer):
    """What an import came to."""

    mode: Mode
    dry_run: bool
    complete: bool = Described(description="`false` where the rest of the file could not be read: see the last error")
    rows: int
    created: int
    updated: int
    failed: int
    ignored_columns: list[str] = Described(description="Columns that only the server gives, such as `id`")
    errors: list[ImportProblem]


def router(parts: RecordParts) -> APIRouter:
    """`/tables/{tableId}/import` and `…/export`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.post("/tables/{table_id}/import", response_model=ImportReport, openapi_extra=_TAKES_ROWS)
    async def import_records(
        request: Request,
        table_id: str,
        mode: Annotated[Mode, Query(description="`upsert` changes records that are there")] = "create",
        by: Annotated[str | None, Query(description="With `upsert`: the unique field that finds the record")] = None,
        dry_run: Annotated[bool, Query(alias="dryRun", description="Only check")] = False,
    ) -> Response:
        """Import CSV or JSON lines. Rows that are right are taken, in batches; the others are reported by line."""
        caller = await principal(request)
        wish = Wish(_format(request), mode, by, dry_run)
        report = await parts.importing.run(caller.workspace_id, table_id, wish, request.stream(), author_of(caller))
        return StreamingResponse(report_json(report, wish), media_type="application/json")

    @routes.get("/tables/{table_id}/export", responses=_GIVES_ROWS, response_class=StreamingResponse)
    async def export_records(
        request: Request,
        table_id: str,
        format: Annotated[Literal["csv", "jsonl"], Query(description="The form of the rows")] = "csv",
        filter: Annotated[str | None, Query(description="As in the list of records")] = None,
    ) -> Response:
        """Every record, oldest first, as CSV or JSON lines that an import takes again."""
        caller = await principal(request)
        body = SearchBody(filter=filter_of(filter), sort=["createdAt"], limit=500)
        table = await parts.tables.find_now(caller.workspace_id, table_id)
        pages = parts.finding.pages(caller.workspace_id, table, body)
        # The first page is read before anything is sent, so that a mistake is still an error.
        first = await anext(pages)
        return StreamingResponse(
            _written(table, format, first, pages),
            media_type=_MEDIA_TYPES[format],
            headers={"Content-Disposition": f'attachment; filename="{table.name}.{format}"'},
        )

    return routes


async def _written(
    table: Table, form: Format, first: list[dict[str, Any]], pages: AsyncIterator[list[dict[str, Any]]]
) -> AsyncIterator[bytes]:
    names = ["id", "version", "createdAt", "updatedAt", *(name for _, name in table.names)]
    if form == "csv":
        yield csv_line(names).encode()
    page: list[dict[str, Any]] | None = first
    while page is not None:
        yield "".join(_line(form, names, record) for record in page).encode()
        page = await anext(pages, None)


def _line(form: Format, names: list[str], record: dict[str, Any]) -> str:
    if form == "csv":
        return csv_line([cell_of_value(record[name]) for name in names])
    return dumps(record) + "\n"


def _format(request: Request) -> Format:
    given = (content_type_of(request.scope) or "").partition(";")[0].strip().lower()
    if given not in _FORMATS:
        raise UNSUPPORTED_MEDIA_TYPE.error(
            f"an import is not taken as `{given}`: send `Content-Type: text/csv` or `application/x-ndjson`"
        )
    return _FORMATS[given]
