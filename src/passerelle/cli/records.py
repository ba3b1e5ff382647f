"""`passerelle records`: records from a file into a table, and back, over the API."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

import typer

from passerelle.cli.api_client import aligned, command, pages, require_success
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    from rich.progress import Progress

    from passerelle.cli.record_transfers import ImportOutcome, ImportRequest

if TYPE_CHECKING:
    import httpx

_EXACT_IN = "Of CSV: take every text as it stands; else a ' before what looks like a formula is taken off."
_EXACT_OUT = "Of CSV: write every text as it is; else a ' keeps spreadsheets from taking it for a formula."

app = typer.Typer(no_args_is_help=True)

_Table = Annotated[str, typer.Option(help="The table's name.")]
_Format = Annotated[
    Literal["csv", "jsonl"] | None, typer.Option("--format", help="csv or jsonl; else by the file's name.")
]


@command(app, "import")
def import_records(
    client: httpx.Client,
    file: Annotated[Path, typer.Argument(help="CSV whose first line names the fields, or JSON lines.")],
    table: _Table,
    mode: Annotated[
        Literal["create", "upsert"], typer.Option(help="upsert changes records that are there.")
    ] = "create",
    by: Annotated[str | None, typer.Option(help="With upsert: the unique field that finds the record.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check.")] = False,
    form: _Format = None,
    exact: Annotated[bool, typer.Option("--exact", help=_EXACT_IN)] = False,
    from_line: Annotated[int, typer.Option(help="Leave out rows above this line: to go on.", min=1)] = 1,
    report: Annotated[Path | None, typer.Option(help="Write every row that is refused to this CSV file.")] = None,
    most: Annotated[int, typer.Option(help="The most refused rows to show.", min=0)] = 50,
) -> None:
    """Import rows; those that are right are taken. Exit status 1 if any row is not in."""
    from passerelle.cli.record_transfers import ImportRequest, form_of, rows_in, send, write_report

    if (mode == "upsert") != (by is not None):
        raise CommandError("--mode upsert and --by FIELD belong together: FIELD says which record a row is about")
    wanted = ImportRequest(file, table, form_of(file, form), mode, by, dry_run, from_line, not exact)
    with _progress(rows=True) as progress:
        task = progress.add_task(file.name, total=rows_in(wanted))
        outcome = send(client, wanted, lambda rows: progress.advance(task, rows))
    if report is not None:
        write_report(outcome, report)
    _tell(wanted, outcome, most)
    if outcome.broken:
        raise CommandError(outcome.broken)
    if outcome.refused:
        raise typer.Exit(1)


@command(app, "export")
def export_records(
    client: httpx.Client,
    file: Annotated[Path, typer.Argument(help="Where to write; - is standard output.")],
    table: _Table,
    filter: Annotated[str | None, typer.Option(help="Only these, as JSON: the filter of the API.")] = None,
    form: _Format = None,
    exact: Annotated[bool, typer.Option("--exact", help=_EXACT_OUT)] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Export every record, oldest first. A file is there once it is complete."""
    from passerelle.cli.record_transfers import export, form_of

    stdout = str(file) == "-"
    if file.exists() and not force and not stdout:
        raise CommandError(f"{file} is there already: overwrite it with --force")
    form = (form or "csv") if stdout else form_of(file, form)
    with (
        _whole_file(file, stdout=stdout) as out,
        _progress(rows=False) as progress,
    ):
        task = progress.add_task(table, total=None)
        rows = export(client, table, form, filter, out, lambda size: progress.advance(task, size), safe=not exact)
    if not stdout:
        typer.echo(f"{file}: {rows:,} {'record' if rows == 1 else 'records'} of {table}")


@command(app, "deleted")
def list_deleted(
    client: httpx.Client,
    table: _Table,
    filter: Annotated[str | None, typer.Option(help="Only these, as JSON: the filter of the API.")] = None,
    most: Annotated[int, typer.Option(help="The most lines.", min=1)] = 50,
) -> None:
    """List records that were deleted and can be restored, the latest first."""
    params = {"filter": filter} if filter else {}
    found = list(islice(pages(client, f"/tables/{quote(table, safe='')}/deleted", **params), most + 1))
    for line in aligned([_deleted_row(one) for one in found[:most]]):
        typer.echo(line)
    if len(found) > most:
        typer.echo(f"the latest {most}; --most shows more")
    if not found:
        typer.echo(f"no record of {table} can be restored")


@command(app, "restore")
def restore_record(
    client: httpx.Client, record: Annotated[UUID, typer.Argument(help="The record's id.")], table: _Table
) -> None:
    """Bring back a record that was deleted within 30 days."""
    require_success(client.post(f"/tables/{quote(table, safe='')}/records/{record}/restore"))
    typer.echo(f"the record {record} of {table} is back")


@command(app, "duplicates")
def list_duplicates(
    client: httpx.Client,
    table: _Table,
    exact: Annotated[list[str] | None, typer.Option(help="A field in which they are the same; repeat it.")] = None,
    near: Annotated[list[str] | None, typer.Option(help="A field in which they are nearly so; repeat it.")] = None,
    filter: Annotated[str | None, typer.Option(help="Only these, as JSON: the filter of the API.")] = None,
    most: Annotated[int, typer.Option(help="The most pairs.", min=1, max=500)] = 25,
) -> None:
    """List pairs of records that may be the same, the nearest first."""
    fields = [*({"field": one} for one in exact or []), *({"field": one, "match": "near"} for one in near or [])]
    if not fields:
        raise CommandError("say by what: --exact FIELD, --near FIELD, or both")
    body = {"fields": fields, "limit": most, **({"filter": _json(filter)} if filter else {})}
    answer = client.post(f"/tables/{quote(table, safe='')}/duplicates", json=body)
    require_success(answer)
    found = answer.json()
    for pair in found["data"]:
        typer.echo(f"{pair['score']:.0f} of 100")
        for line in aligned([(record["id"], _values(record)) for record in pair["records"]]):
            typer.echo(f"  {line}")
    more = f", the nearest {len(found['data'])} are shown" if found["found"] > len(found["data"]) else ""
    typer.echo(f"{found['found']:,} pairs among {found['records']:,} records{more}")


@command(app, "merge")
def merge_records(
    client: httpx.Client,
    record: Annotated[UUID, typer.Argument(help="The record that stays.")],
    other: Annotated[UUID, typer.Argument(help="The record that goes into it.")],
    table: _Table,
    take: Annotated[list[str] | None, typer.Option(help="A field of which the other's value is taken.")] = None,
) -> None:
    """Merge two records: the first answers for both ids from then on."""
    path = f"/tables/{quote(table, safe='')}/records/{record}/merge"
    answer = client.post(path, json={"from": str(other), "fields": take or []})
    require_success(answer)
    typer.echo(f"{other} went into {record}: {_values(answer.json())}")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"--filter: not JSON: {error}") from None


def _deleted_row(one: dict[str, Any]) -> tuple[str, ...]:
    record = one["record"]
    return record["id"], f"deleted {one['deletedAt']}", f"by {one['deletedBy']}", _values(record)


def _values(record: dict[str, Any]) -> str:
    from passerelle.tables.values import GIVEN_BY_SERVER

    given = ((name, value) for name, value in record.items() if name not in GIVEN_BY_SERVER)
    return "; ".join(f"{name}: {value}" for name, value in given if value is not None)


def _progress(*, rows: bool) -> Progress:
    """A progress bar on standard error, if that is a terminal: of rows, or of bytes whose number is not known."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    name = TextColumn("{task.description}")
    of_rows = (name, BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeRemainingColumn())
    columns = of_rows if rows else (name, DownloadColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def _whole_file(file: Path, *, stdout: bool) -> Iterator[IO[bytes]]:
    """A file that is there only once all of it is written. Raises `CommandError`."""
    if stdout:
        yield sys.stdout.buffer
        return
    draft = file.with_name(f"{file.name}.part")
    try:
        with draft.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def _tell(wanted: ImportRequest, outcome: ImportOutcome, most: int) -> None:
    for one in outcome.refused[:most]:
        typer.echo(f"{wanted.file}:{one.line}: {one.field or 'row'}: {one.message}")
    if (hidden := len(outcome.refused) - most) > 0:
        typer.echo(f"… and {hidden:,} more: --report FILE writes all of them, --most shows more")
    if outcome.ignored:
        typer.echo(f"not imported, for the server gives them: {', '.join(sorted(outcome.ignored))}")
    refused = outcome.rows - outcome.created - outcome.updated
    would = "would be " if wanted.dry_run else ""
    counts = [
        f"{outcome.created:,} {would}created",
        f"{outcome.updated:,} {would}updated",
        f"{refused:,} {would}refused",
    ]
    upto = f", up to line {outcome.last_line}" if outcome.broken and outcome.last_line else ""
    typer.echo(f"{wanted.file}: {outcome.rows:,} {'row' if outcome.rows == 1 else 'rows'}{upto}: {', '.join(counts)}")
