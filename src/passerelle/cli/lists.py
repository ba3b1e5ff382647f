"""`passerelle lists`: lists of names to screen against, over the API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.cli.api_client import command, pages, require_success
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

LOAD_SECONDS = 300


@command(app, "load")
def load_list(
    client: httpx.Client,
    file: Path,
    name: Annotated[str, typer.Option(help="How definitions name the list: eu, ofac…")],
) -> None:
    """Load a CSV file in the columns of OpenSanctions' targets.simple.csv, as the newest version of a list."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    answer = client.put(
        f"/lists/{_in_path(name)}", content=content, headers={"Content-Type": "text/csv"}, timeout=LOAD_SECONDS
    )
    require_success(answer)
    loaded = answer.json()
    news = "" if answer.status_code == 201 else ", unchanged"
    typer.echo(f"{name} version {loaded['version']}: {_entries(loaded)}{news}")


@command(app, "list")
def list_lists(client: httpx.Client) -> None:
    """List the newest version of each list."""
    for entry in pages(client, "/lists"):
        when = f"{entry['loadedDate']}  {entry['loadedBy']}"
        typer.echo(f"{entry['name']}  version {entry['version']}  {_entries(entry)}  {when}")


@command(app, "delete")
def delete_list(client: httpx.Client, name: str) -> None:
    """Delete a list with all its versions; refused while a definition names it."""
    require_success(client.delete(f"/lists/{_in_path(name)}"))
    typer.echo(f"{name} is deleted")


def _entries(version: dict[str, Any]) -> str:
    count = version["entries"]
    return "1 entry" if count == 1 else f"{count:,} entries"


def _in_path(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")
