"""`passerelle lists`: lists of names to screen against, over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from passerelle.errors import CommandError
from passerelle.remote import DEMO_DIR, URL, DemoDir, Token, Url, connected, require_success

app = typer.Typer(help="Lists of names that the check `sanctions` searches.", no_args_is_help=True)

LOAD_SECONDS = 300


@app.command("load")
def load_list(
    file: Path,
    name: Annotated[str, typer.Option(help="How definitions name the list: eu, ofac…")],
    url: Url = URL,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """Load a CSV file in the columns of OpenSanctions' targets.simple.csv, as the newest version of a list."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    with connected(url, token, data_dir) as client:
        answer = client.put(
            f"/lists/{_in_path(name)}", content=content, headers={"Content-Type": "text/csv"}, timeout=LOAD_SECONDS
        )
        require_success(answer)
    loaded = answer.json()
    news = "" if answer.status_code == 201 else ", unchanged"
    typer.echo(f"{name} version {loaded['version']}: {_entries(loaded)}{news}")


@app.command("list")
def list_lists(url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """List the newest version of each list."""
    after: dict[str, str] = {}
    with connected(url, token, data_dir) as client:
        while True:
            answer = client.get("/lists", params={"limit": "500", **after})
            require_success(answer)
            page = answer.json()
            for entry in page["data"]:
                when = f"{entry['loadedDate']}  {entry['loadedBy']}"
                typer.echo(f"{entry['name']}  version {entry['version']}  {_entries(entry)}  {when}")
            if page["next"] is None:
                return
            after = {"after": page["next"]}


def _entries(version: dict[str, Any]) -> str:
    count = version["entries"]
    return "1 entry" if count == 1 else f"{count:,} entries"


def _in_path(name: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - a command loads only what it needs

    return quote(name, safe="")
