"""Import and export over HTTP, streamed both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field as Described

from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import UNSUPPORTED_MEDIA_TYPE, content_type_of
from passerelle.kit.http.errors import QUERY_INVALID
from passerelle.kit.http.permissions import Requires
from passerelle.kit.json import Json, dumps, loads
from passerelle.records.endpoints import TableName, author_of
from passerelle.records.finding_endpoints import filter_of, names_of
from passerelle.records.importing import ImportOptions, Mode, report_json
from passerelle.records.parts import RecordServices
from passerelle.records.rows import Format, cell_of_value, csv_line, made_safe
from passerelle.records.schemas import SearchBody
from passerelle.records.sight import sight_of

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
    """The line of the file, from 1."""
    field: str | None
    """The field that it is about; null where it is about the row."""
    code: str
    """The error's code."""
    message: str
    """What is wrong and what to do."""


class ImportReport(Answer):
    """What an import came to."""

    mode: Mode
    """How rows were taken."""
    dry_run: bool
    """Whether they were only checked."""
    complete: bool = Described(description="`false` where the rest of the file could not be read: see the last error")
    rows: int
    """Rows that were read."""
    created: int
    """Records that were made."""
    updated: int
    """Records that were changed."""
    failed: int
    """Rows that were refused."""
    ignored_columns: list[str] = Described(description="Columns that only the server gives, such as `id`")
    errors: list[ImportProblem]
    """Why each of them was."""


def router(parts: RecordServices) -> APIRouter:
    """`/tables/{tableId}/import` and `…/export`."""
    routes = APIRouter(tags=["Records"], route_class=ApiRoute)

    @routes.post("/tables/{table_id}/import", response_model=ImportReport, openapi_extra=_TAKES_ROWS)
    async def import_records(
        request: Request,
        caller: Annotated[Principal, Requires("can_edit_data", of="table")],
        table_id: TableName,
        mode: Annotated[Mode, Query(description="`upsert` changes records that are there")] = "create",
        by: Annotated[str | None, Query(description="With `upsert`: the unique field that finds the record")] = None,
        dry_run: Annotated[bool, Query(alias="dryRun", description="Only check")] = False,
        safe: Annotated[bool, Query(description="The CSV is an export with `safe=true`")] = False,
        columns: Annotated[
            str | None,
            Query(description='What columns stand for, as JSON: `{"Firm": "name", "Remarks": null}`; null leaves out'),
        ] = None,
    ) -> Response:
        """Import CSV or JSON lines. Rows that are right are taken, in batches; the others are reported by line."""
        wish = ImportOptions(_format(request), mode, by, dry_run, safe, _columns(columns))
        report = await parts.importing.run(caller.workspace_id, table_id, wish, request.stream(), author_of(caller))
        return StreamingResponse(report_json(report, wish), media_type="application/json")

    @routes.get("/tables/{table_id}/export", responses=_GIVES_ROWS, response_class=StreamingResponse)
    async def export_records(
        caller: Annotated[Principal, Requires("can_read_data", of="table")],
        table_id: TableName,
        format: Annotated[Literal["csv", "jsonl"], Query(description="The form of the rows")] = "csv",
        filter: Annotated[str | None, Query(description="As in the list of records")] = None,
        text: Annotated[str | None, Query(max_length=500, description="As in the list of records")] = None,
        sort: Annotated[str | None, Query(description="As in the list of records; oldest first if absent")] = None,
        fields: Annotated[str | None, Query(description="As in the list of records; all if absent")] = None,
        safe: Annotated[
            bool,
            Query(description="Of CSV: a `'` stands before each text that a spreadsheet would take for a formula"),
        ] = False,
    ) -> Response:
        """Every record that is sought, as CSV or JSON lines that an import takes again."""
        body = SearchBody(
            filter=filter_of(filter),
            text=text,
            sort=names_of(sort) or ["createdAt"],
            fields=names_of(fields),
            limit=500,
        )
        table = await parts.tables.find_now(caller.workspace_id, table_id)
        pages = parts.finding.pages(caller.workspace_id, table, body)
        # The first page is read before anything is sent, so that a mistake is still an error.
        first = await anext(pages)
        return StreamingResponse(
            _written(format, body.fields or [name for _, name in sight_of(table).shown.names], first, pages, safe=safe),
            media_type=_MEDIA_TYPES[format],
            headers={"Content-Disposition": f'attachment; filename="{table.name}.{format}"'},
        )

    return routes


async def _written(
    form: Format,
    fields: list[str],
    first: list[dict[str, Any]],
    pages: AsyncIterator[list[dict[str, Any]]],
    *,
    safe: bool,
) -> AsyncIterator[bytes]:
    names = ["id", "version", "createdAt", "updatedAt", *fields]
    if form == "csv":
        yield csv_line(names).encode()
    page: list[dict[str, Any]] | None = first
    while page is not None:
        yield "".join(_line(form, names, record, safe=safe) for record in page).encode()
        page = await anext(pages, None)


def _line(form: Format, names: list[str], record: dict[str, Any], *, safe: bool) -> str:
    if form == "csv":
        return csv_line([_cell(record[name], safe=safe) for name in names])
    return dumps(record) + "\n"


def _cell(value: Json, *, safe: bool) -> str:
    cell = cell_of_value(value)
    # A number is none that a formula could hide in, and has to stay one.
    return made_safe(cell) if safe and isinstance(value, str) else cell


def _columns(text: str | None) -> dict[str, str | None]:
    """What columns stand for. Raises QUERY_INVALID."""
    try:
        value: Any = loads(text) if text is not None else {}
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(one is None or isinstance(one, str) for one in value.values()):
        raise QUERY_INVALID.error('`columns` must be a JSON object of names, such as `{"Company": "name"}`')
    return value


def _format(request: Request) -> Format:
    given = (content_type_of(request.scope) or "").partition(";")[0].strip().lower()
    if given not in _FORMATS:
        raise UNSUPPORTED_MEDIA_TYPE.error(
            f"an import is not taken as `{given}`: send `Content-Type: text/csv` or `application/x-ndjson`"
        )
    return _FORMATS[given]
