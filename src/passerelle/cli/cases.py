"""`passerelle cases …`: bring cases, and move them into a table of one's own."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console

from passerelle.cli.api_client import DEMO_DIR, DemoDir
from passerelle.cli.printing import say_all
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    from passerelle.v1.cases.command_database import Where
    from passerelle.v1.cases.migrate_command import Said

app = typer.Typer(no_args_is_help=True)
progress = Console(stderr=True)

Workspace = Annotated[
    UUID | None, typer.Option(help="Whose cases, in the database of PASSERELLE_DATABASE_URL; default: the demo's.")
]


@app.command()
def migrate(
    to: Annotated[str | None, typer.Option("--to", help="The table that the cases go to.")] = None,
    map: Annotated[Path | None, typer.Option("--map", help="Which field becomes which, as YAML.")] = None,
    suggest: Annotated[bool, typer.Option("--suggest", help="Write a map from the fields at hand.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say everything that is in the way.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Compare both sides, value by value.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Bring back what nobody has written to since.")] = False,
    workspace: Workspace = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """Move cases into a table of your own; they keep their ids, history, files, comments and executions."""
    from passerelle.v1.cases import migrate_command

    if sum((suggest, verify, undo, dry_run)) > 1:
        raise CommandError("--suggest, --dry-run, --verify and --undo are four commands: give one of them")
    place = _where(workspace, data_dir)
    if verify:
        _tell(migrate_command.verify(place, progress))
    elif undo:
        _tell(migrate_command.undo(place, progress))
    elif to is None:
        raise CommandError("--to: name the table that the cases go to")
    elif suggest:
        _tell(migrate_command.suggest(place, to, map))
    elif map is None:
        raise CommandError("--map: name the file that says which field becomes which; --suggest writes one")
    else:
        _tell(migrate_command.migrate(place, to, map, progress, dry_run=dry_run))


@app.command("import")
def import_cases(
    file: Annotated[Path, typer.Argument(help="JSON lines, each as GET /cases/{caseId} answers.")],
    files: Annotated[Path | None, typer.Option("--files", help="The folder of the cases' documents.")] = None,
    workspace: Workspace = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """Bring cases from elsewhere under their own ids; broken lines are reported, the rest is taken."""
    from passerelle.v1.cases import import_command

    _tell(import_command.bring(_where(workspace, data_dir), file, files, progress))


def _where(workspace: UUID | None, data_dir: Path) -> Where:
    from passerelle.app.settings import load
    from passerelle.v1.cases.command_database import where

    return where(load(), workspace, data_dir)


def _tell(coroutine: Coroutine[None, None, Said]) -> None:
    import asyncio

    said = asyncio.run(coroutine)
    say_all(said.lines)
    if not said.good:
        raise typer.Exit(1)
