"""Commands that talk to a running Passerelle over its API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from passerelle.errors import CommandError

if TYPE_CHECKING:
    import httpx

Url = Annotated[
    str | None,
    typer.Option(envvar="PASSERELLE_URL", help="Where Passerelle is; default: the demo's, else http://localhost:8080."),
]
Token = Annotated[
    str | None, typer.Option(envvar="PASSERELLE_TOKEN", help="An organization token; default: the demo's.")
]
DemoDir = Annotated[Path, typer.Option("--data-dir", help="The folder of the `passerelle dev` whose demo is meant.")]

URL = None
DEMO_DIR = Path("data")


@contextmanager
def connected(url: str | None, token: str | None, data_dir: Path) -> Iterator[httpx.Client]:
    """A client with credentials: `token`, else the demo's. Raises `CommandError`, also where nothing answers."""
    import httpx  # noqa: PLC0415 - a command loads only what it needs

    headers = {"Authorization": f"Bearer {token or demo_token(data_dir)}"}
    url = url or (_demo_url(data_dir) if token is None else None) or "http://localhost:8080"
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            yield client
    except httpx.HTTPError as error:
        raise CommandError(f"{url} does not answer ({error}): is Passerelle running there?") from None


def pages(client: httpx.Client, path: str, **params: str) -> Iterator[dict[str, Any]]:
    """Everything in a list, page by page. Raises `CommandError`."""
    after: dict[str, str] | None = {"limit": "500"}
    while after is not None:
        answer = client.get(path, params={**params, **after})
        require_success(answer)
        page = answer.json()
        yield from page["data"]
        after = {"limit": "500", "after": page["next"]} if page["next"] else None


def require_success(answer: httpx.Response) -> None:
    """Raises `CommandError` with everything that the answer says is wrong, a line each."""
    if not answer.is_success:
        raise CommandError("\n".join(messages_of(answer)))


def messages_of(answer: httpx.Response) -> list[str]:
    """What an error answer says is wrong."""
    try:
        return [str(error["message"]) for error in answer.json()["errors"]]
    except (ValueError, KeyError, TypeError):
        return [f"the server answered {answer.status_code}: is {answer.url} an address of Passerelle?"]


def demo_token(data_dir: Path) -> str:
    """The token of the demo workspace of a `passerelle dev`. Raises `CommandError`."""
    try:
        token: str = json.loads((data_dir / "demo.json").read_text())["organizationToken"]
    except (OSError, KeyError, ValueError):
        raise CommandError(
            "no token: give --token or PASSERELLE_TOKEN, or the --data-dir of a running `passerelle dev`"
        ) from None
    return token


def _demo_url(data_dir: Path) -> str | None:
    """Where the `passerelle dev` is, whose port may be any; None where its folder does not say so."""
    with suppress(OSError, KeyError, ValueError):
        return str(json.loads((data_dir / "demo.json").read_text())["baseUrl"])
    return None


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Columns side by side, each value whole: a table that fits the window would cut them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
