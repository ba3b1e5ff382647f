"""`passerelle secret`: a workspace's secrets, over the API. A value never stands on the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from passerelle.cli.api_client import command, pages, require_success
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)


@command(app, "set")
def set_secret(client: httpx.Client, name: str) -> None:
    """Write a secret. The value is asked for, or read from standard input: `… set NAME < file`."""
    value = _value(name)
    require_success(client.put(f"/secrets/{_in_path(name)}", json={"value": value}))
    typer.echo(f"{name} is set")


@command(app, "list")
def list_secrets(client: httpx.Client) -> None:
    """List the names, with who wrote each and when; values are never shown."""
    for entry in pages(client, "/secrets"):
        typer.echo(f"{entry['name']}  version {entry['version']}  {entry['updatedDate']}  {entry['updatedBy']}")


@command(app, "delete")
def delete_secret(client: httpx.Client, name: str) -> None:
    """Delete a secret. Steps that name it fail from then on."""
    require_success(client.delete(f"/secrets/{_in_path(name)}"))
    typer.echo(f"{name} is deleted")


def _value(name: str) -> str:
    """What a person types unseen, or standard input without its last line break."""
    if sys.stdin.isatty():
        return str(typer.prompt(f"Value of {name}", hide_input=True))
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise CommandError(f"byte {error.start} of the value is not UTF-8: encode it, for example as base64") from None
    return text.removesuffix("\n").removesuffix("\r")


def _in_path(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")
