"""`passerelle tables`: the tables of a workspace, over the API. `passerelle push` makes and changes them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from passerelle.errors import CommandError
from passerelle.remote import DEMO_DIR, URL, DemoDir, Token, Url, connected, messages_of, pages

app = typer.Typer(help="Tables of records.", no_args_is_help=True)
output = Console(soft_wrap=True)

_Name = Annotated[str, typer.Argument(help="The table's name.")]


@app.command("list")
def list_tables(url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """List the tables."""
    table = Table("name", "fields", "version", "id")
    with connected(url, token, data_dir) as client:
        for one in pages(client, "/tables"):
            table.add_row(one["name"], str(len(one["fields"])), str(one["version"]), one["id"])
    output.print(table)


@app.command("show")
def show_table(name: _Name, url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Print a table as the file that `push` takes, and what is still to be said of its indexes."""
    from passerelle.definitions.words import suggest  # noqa: PLC0415 - a command loads only what it needs
    from passerelle.tables.client import remote_tables  # noqa: PLC0415
    from passerelle.tables.files import written  # noqa: PLC0415

    with connected(url, token, data_dir) as client:
        tables = remote_tables(client)
    if name not in tables:
        raise CommandError(f"the workspace has no table {name}; {suggest(name, tables, 'it has')}")
    typer.echo(written(tables[name].body), nl=False)
    for field, state in tables[name].indexes.items():
        typer.echo(f"# index of {field}: {state}")


@app.command("delete")
def delete_table(
    name: _Name,
    lose_data: Annotated[bool, typer.Option("--lose-data", help="Delete its records too.")] = False,
    url: Url = URL,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """Delete a table; one with records only with --lose-data."""
    from urllib.parse import quote  # noqa: PLC0415 - a command loads only what it needs

    from passerelle.tables.client import for_commands  # noqa: PLC0415

    with connected(url, token, data_dir) as client:
        answer = client.delete(f"/tables/{quote(name, safe='')}", params={"loseData": str(lose_data).lower()})
    if not answer.is_success:
        raise CommandError("\n".join(map(for_commands, messages_of(answer))))
    typer.echo(f"the table {name} is deleted")
