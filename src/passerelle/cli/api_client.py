"""Commands that talk to a running Passerelle over its API."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Final, get_type_hints

import typer

from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

Url = Annotated[
    str | None,
    typer.Option(envvar="PASSERELLE_URL", help="Where Passerelle is; default: the `passerelle dev` on --data-dir."),
]
Token = Annotated[
    str | None, typer.Option(envvar="PASSERELLE_TOKEN", help="An organization token; default: the demo's.")
]
DemoDir = Annotated[Path, typer.Option("--data-dir", help="The folder of the `passerelle dev` whose demo is meant.")]

DEMO_DIR: Final = Path("data")
Command = Callable[..., None]


def command(app: typer.Typer, name: str) -> Callable[[Command], Command]:
    """A command of `app` whose function is given a client of the API before its own arguments and options.

    `--url`, `--token` and `--data-dir`, which say whose, stand behind its own options.
    """

    def register(run: Command) -> Command:
        def connect(url: Url = None, token: Token = None, data_dir: DemoDir = DEMO_DIR, **own: Any) -> None:
            with connected(url, token, data_dir) as client:
                run(client, **own)

        _, *wanted = _parameters_of(run)
        *where, _ = _parameters_of(connect)
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*wanted, *where)]
        connect.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        connect.__annotations__ = {each.name: each.annotation for each in parameters}
        connect.__doc__ = run.__doc__
        app.command(name)(connect)
        return run

    return register


def _parameters_of(function: Callable[..., None]) -> list[inspect.Parameter]:
    # Commands load `httpx` when they run, so its name stands for nothing here.
    hints = get_type_hints(function, localns={"httpx": SimpleNamespace(Client=object)}, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    return [each.replace(annotation=hints[each.name]) for each in parameters]


def called(client: httpx.Client, method: str, path: str, body: object = None) -> Any:
    """What the API answers, as JSON; None where it answers with nothing. Raises `CommandError`."""
    answer = client.request(method, path, json=body)
    require_success(answer)
    return answer.json() if answer.content else None


@contextmanager
def connected(url: str | None, token: str | None, data_dir: Path) -> Iterator[httpx.Client]:
    """A client of `url`, else of the demo, with `token`, else the demo's.

    Without an address it is never another server than the demo, whatever listens on some well-known port: a token
    would be told to it. Raises `CommandError`, also where nothing answers.
    """
    import httpx

    headers = {"Authorization": f"Bearer {token or demo_token(data_dir)}"}
    url = url or _demo_url(data_dir)
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


Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", help="name=value, the value as JSON or plain text; repeat it.")
]


def parameters_of(given: list[str] | None) -> dict[str, Any]:
    """The parameters of `--parameter name=value`. Raises `CommandError`."""
    return dict(_parameter(text) for text in given or [])


def _parameter(text: str) -> tuple[str, Any]:
    name, is_there, value = text.partition("=")
    if not is_there or not name:
        raise CommandError(f"--parameter: write name=value, not `{text}`")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def definition_of(client: httpx.Client, name: str) -> dict[str, Any]:
    """The definition with this name or id. Raises `CommandError`."""
    from passerelle.definitions.words import suggest

    there = {one["name"]: one for one in pages(client, "/definitions")}
    found = there.get(name) or next((one for one in there.values() if one["id"] == name), None)
    if found is None:
        raise CommandError(f"the workspace has no definition `{name}`; {suggest(name, there, 'it has')}")
    return found


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


def _demo_url(data_dir: Path) -> str:
    """Where the `passerelle dev` is, whose port may be any. Raises `CommandError`."""
    try:
        return str(json.loads((data_dir / "demo.json").read_text())["baseUrl"])
    except (OSError, KeyError, ValueError):
        raise CommandError(
            "no address: give --url or PASSERELLE_URL, or the --data-dir of a running `passerelle dev`"
        ) from None


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Columns side by side, each value whole: a table that fits the window would cut them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
