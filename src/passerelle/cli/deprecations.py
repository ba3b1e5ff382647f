"""`passerelle deprecations`: who still uses version 1, over the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from passerelle.cli.api_client import DEMO_DIR, DemoDir, Token, Url, aligned, command, connected, require_success
from passerelle.cli.printing import say

if TYPE_CHECKING:
    import httpx

app = typer.Typer()

_HEADER: Final = ("day", "key", "endpoint", "version", "uses", "refused", "last used", "client")


@app.callback(invoke_without_command=True)
def list_uses(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(help="Only from this day on: 2026-01-05.")] = None,
    url: Url = None,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """List who uses version 1: key, endpoint, day, how often, when last, with which client."""
    if context.invoked_subcommand is not None:
        return
    with connected(url, token, data_dir) as client:
        rows = list(_pages(client, {} if since is None else {"since": since}))
    if not rows:
        say("nobody uses a deprecated version")
        return
    for line in aligned([_HEADER, *map(_cells, rows)]):
        typer.echo(line)


@command(app, "mode")
def mode(
    client: httpx.Client,
    wanted: Annotated[
        Literal["on", "warn", "brownout", "off", "default"] | None,
        typer.Argument(help="The new mode; `default` follows the installation. Without it, the mode is shown."),
    ] = None,
    brownouts: Annotated[
        str | None, typer.Option(help="The times of brown-outs: 'tue 09:00-10:00, daily 12:00-12:15'.")
    ] = None,
) -> None:
    """Show how version 1 is treated in the workspace, or set it."""
    if wanted is None:
        answer = client.get("/deprecations/mode")
    else:
        body = {"mode": None if wanted == "default" else wanted, "brownouts": brownouts}
        answer = client.put("/deprecations/mode", json=body)
    require_success(answer)
    shown = answer.json()
    own = "set for this workspace" if shown["own"] else "the installation's"
    say(f"version 1 is {shown['mode']} ({own})")
    if shown["nextBrownout"] is not None:
        span = shown["nextBrownout"]
        say(f"refused from {span['begins']} to {span['ends']}")


def _cells(use: dict[str, Any]) -> tuple[str, ...]:
    counts = (str(use["version"]), str(use["uses"]), str(use["refused"]))
    return (use["day"], use["key"], use["endpoint"], *counts, use["lastUsed"], use["userAgent"] or "")


def _pages(client: httpx.Client, params: dict[str, str]) -> Iterator[dict[str, Any]]:
    after: dict[str, str] = {}
    while True:
        answer = client.get("/deprecations", params={"limit": "500", **params, **after})
        require_success(answer)
        page = answer.json()
        yield from page["data"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}
