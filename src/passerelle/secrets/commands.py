"""`passerelle secret`: a workspace's secrets, over the API. A value never stands on the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from passerelle.errors import CommandError
from passerelle.remote import DEMO_DIR, URL, DemoDir, Token, Url, connected, require_success

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

app = typer.Typer(help="Secrets of a workspace, which steps use as ${secrets.NAME}.", no_args_is_help=True)


@app.command("set")
def set_secret(name: str, url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Write a secret. The value is asked for, or read from standard input: `… set NAME < file`."""
    value = _value(name)
    with connected(url, token, data_dir) as client:
        require_success(client.put(f"/secrets/{_in_path(name)}", json={"value": value}))
    typer.echo(f"{name} is set")


@app.command("list")
def list_secrets(url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """List the names, with who wrote each and when; values are never shown."""
    with connected(url, token, data_dir) as client:
        for entry in _entries(client):
            typer.echo(f"{entry['name']}  version {entry['version']}  {entry['updatedDate']}  {entry['updatedBy']}")


@app.command("delete")
def delete_secret(name: str, url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Delete a secret. Steps that name it fail from then on."""
    with connected(url, token, data_dir) as client:
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
    from urllib.parse import quote  # noqa: PLC0415 - a command loads only what it needs

    return quote(name, safe="")


def _entries(client: httpx.Client) -> Iterator[dict[str, str]]:
    after: dict[str, str] = {}
    while True:
        answer = client.get("/secrets", params={"limit": "500", **after})
        require_success(answer)
        page = answer.json()
        yield from page["data"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}
