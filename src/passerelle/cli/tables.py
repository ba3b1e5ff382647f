"""`passerelle tables`: the tables of a workspace, over the API. `passerelle push` makes and changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from passerelle.cli.api_client import command, messages_of, pages
from passerelle.cli.printing import output
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="The table's name.")]


@command(app, "list")
def list_tables(client: httpx.Client) -> None:
    """List the tables."""
    table = Table("name", "fields", "version", "id")
    for one in pages(client, "/tables"):
        table.add_row(one["name"], str(len(one["fields"])), str(one["version"]), one["id"])
    output.print(table)


@command(app, "show")
def show(client: httpx.Client, name: _Name) -> None:
    """Print a table as the file that `push` takes, and what is still to be said of its indexes."""
    from passerelle.cli.tables_client import remote_tables
    from passerelle.definitions.words import suggest
    from passerelle.tables.files import written

    tables = remote_tables(client)
    if name not in tables:
        raise CommandError(f"the workspace has no table {name}; {suggest(name, tables, 'it has')}")
    typer.echo(written(tables[name].body), nl=False)
    for field, state in tables[name].indexes.items():
        typer.echo(f"# index of {field}: {state}")


@command(app, "delete")
def delete_table(
    client: httpx.Client,
    name: _Name,
    lose_data: Annotated[bool, typer.Option("--lose-data", help="Delete its records too.")] = False,
) -> None:
    """Delete a table; one with records only with --lose-data."""
    from urllib.parse import quote

    from passerelle.cli.tables_client import for_commands

    answer = client.delete(f"/tables/{quote(name, safe='')}", params={"loseData": str(lose_data).lower()})
    if not answer.is_success:
        raise CommandError("\n".join(map(for_commands, messages_of(answer))))
    typer.echo(f"the table {name} is deleted")
