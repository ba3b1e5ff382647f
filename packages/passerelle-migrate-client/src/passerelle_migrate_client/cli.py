"""The command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from passerelle_migrate_client.command import migrate_client
from passerelle_migrate_client.errors import CommandError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_output = Console(soft_wrap=True)


@app.command("migrate-client")
def _migrate_client(
    paths: Annotated[list[Path], typer.Argument(help="Folders or files of the client's source.")],
    fix: Annotated[bool, typer.Option("--fix", help="Show the safe fixes as a diff.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the safe fixes into the files.")] = False,
    format: Annotated[Literal["text", "json"], typer.Option("--format", help="For people, or for programs.")] = "text",
    table: Annotated[str, typer.Option(help="The table that the cases are in, or will be moved to.")] = "cases",
    encoding: Annotated[
        str | None, typer.Option(help="Of files that are not UTF-8 and do not say what they are.")
    ] = None,
    pinned: Annotated[
        bool, typer.Option("--pinned", help="The client's key pins version 2: no header needed.")
    ] = False,
) -> None:
    """Find the old API in a client's source, and say what to write instead; exit status 1 while something is left."""
    done = migrate_client(
        paths, _output, fix=fix, write=write, as_json=format == "json", table=table, encoding=encoding, pinned=pinned
    )
    if not done:
        raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None, name: str = "passerelle-migrate-client") -> None:
    """Run the command with these arguments, or the process's own. Ends the process; an error is one line."""
    try:
        app(args=list(sys.argv[1:] if arguments is None else arguments), prog_name=name)
    except CommandError as error:
        sys.stderr.write("".join(f"{name}: {line}\n" for line in str(error).splitlines()))
        sys.exit(1)
