"""`passerelle archive`: what was written to the store before it was removed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import orjson
import typer

from passerelle.cli.api_client import DEMO_DIR
from passerelle.cli.database_commands import DevDir, run, settings_beside
from passerelle.cli.printing import show_table
from passerelle.kit.clock import iso
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from passerelle.kit.json import JsonObject

app = typer.Typer(no_args_is_help=True)

_Kind = Annotated[
    Literal["executions", "events", "deliveries"] | None, typer.Option("--kind", help="Only of this kind of data.")
]


@app.command("list")
def list_archives(workspace: UUID, kind: _Kind = None, data_dir: DevDir = DEMO_DIR) -> None:
    """List the files of a workspace, the oldest first: what is in each, of which time, and how large it is."""
    from passerelle.app import processes
    from passerelle.cli.size import shown

    rows = [("id", "kind", "entries", "size", "from", "to")]
    for one in run(processes.archives_of(settings_beside(data_dir), workspace, kind)):
        times = iso(one.first_at), iso(one.last_at)
        rows.append((str(one.id), one.kind, f"{one.entries:,}", shown(one.bytes), *times))
    show_table(rows)


@app.command("read")
def read_archive(
    workspace: UUID,
    archives: Annotated[list[UUID] | None, typer.Argument(help="Files by their ids; default: all.")] = None,
    kind: _Kind = None,
    entry: Annotated[UUID | None, typer.Option(help="Only the entry with this id.")] = None,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Print what is in files, an entry a line, as JSON. Names those that cannot be read, in the end."""
    from passerelle.app import processes

    def tell(entries: Iterable[JsonObject]) -> None:
        _print(entries, entry)

    settings = settings_beside(data_dir)
    run(processes.read_archives(settings, workspace, archives or None, kind, tell))


@app.command("open")
def open_file(
    file: Annotated[Path, typer.Argument(help="A file of the store, such as …/executions/2026-01/….jsonl.gz.")],
    entry: Annotated[UUID | None, typer.Option(help="Only the entry with this id.")] = None,
) -> None:
    """Print what is in a file that was copied out of the store, without a database; its manifest lies beside it."""
    from passerelle.retention.archives import manifest_path, unpacked

    try:
        manifest = orjson.loads(Path(manifest_path(str(file))).read_bytes())
        content = file.read_bytes()
    except (OSError, ValueError) as error:
        raise CommandError(f"the file or its manifest cannot be read: {error}") from None
    _print(unpacked(content, manifest["sha256"]), entry)


def _print(entries: Iterable[JsonObject], wanted: UUID | None) -> None:
    for one in entries:
        if wanted is None or one["id"] == str(wanted):
            sys.stdout.write(orjson.dumps(one).decode() + "\n")
