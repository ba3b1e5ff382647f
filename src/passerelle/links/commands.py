"""`passerelle link …`: links for end users, over the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from passerelle.errors import CommandError
from passerelle.remote import DEMO_DIR, URL, DemoDir, Token, Url, aligned, connected, require_success

if TYPE_CHECKING:
    import httpx

app = typer.Typer(help="Links: how end users get in.", no_args_is_help=True)
output = Console(soft_wrap=True)

_Definition = Annotated[str, typer.Argument(help="The definition's name or id.")]
_Record = Annotated[UUID | None, typer.Option(help="The record that the execution concerns, or your own reference.")]
_Parameter = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", help="name=value, the value as JSON or plain text; repeat it.")
]
_Lang = Annotated[str | None, typer.Option(help="The end user's language: pl, en-GB.")]
_Link = Annotated[UUID, typer.Argument(help="The link's id.")]


@app.command("create")
def create_link(
    definition: _Definition,
    parameter: _Parameter = None,
    record: _Record = None,
    lang: _Lang = None,
    email: Annotated[str | None, typer.Option(help="Where one-time codes for another device are sent to.")] = None,
    url: Url = URL,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """Start an execution and print the link that leads to it; it is shown this once."""
    with connected(url, token, data_dir) as client:
        body = _body(client, definition, parameter or [], record, lang)
        _show(_posted(client, "/link", body | ({"email": email} if email is not None else {})))


@app.command("send")
def send_link(
    definition: _Definition,
    email: Annotated[str, typer.Argument(help="Where to send the link to.")],
    parameter: _Parameter = None,
    record: _Record = None,
    lang: _Lang = None,
    url: Url = URL,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """Start an execution and send its link by e-mail; `passerelle link show` tells what came of it."""
    with connected(url, token, data_dir) as client:
        body = _body(client, definition, parameter or [], record, lang)
        _show(_posted(client, "/link/send", body | {"email": email}))


@app.command("delete")
def delete_link(link: _Link, url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Make a link invalid, and end the visit that it began; the execution is left as it is."""
    with connected(url, token, data_dir) as client:
        require_success(client.delete(f"/link/{link}"))
    output.print(f"{link} is deleted")


@app.command("show")
def show_link(link: _Link, url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Where a link stands, and what came of sending it."""
    with connected(url, token, data_dir) as client:
        answer = client.get(f"/link/{link}")
        require_success(answer)
    _show(answer.json())


@app.command("list")
def list_links(
    definition: Annotated[str | None, typer.Option(help="Only to this definition, by name or id.")] = None,
    record: Annotated[UUID | None, typer.Option(help="Only for this record.")] = None,
    workflow: Annotated[UUID | None, typer.Option(help="Only of this execution.")] = None,
    most: Annotated[int, typer.Option(help="The most lines.", min=1)] = 50,
    url: Url = URL,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """The newest links: where each stands."""
    rows: list[tuple[str, ...]] = [("id", "execution", "state", "to", "sending", "expires")]
    with connected(url, token, data_dir) as client:
        wanted = {
            "workflowDefinitionId": None if definition is None else _definition_id(client, definition),
            "recordId": record,
            "workflowId": workflow,
        }
        params = {name: str(value) for name, value in wanted.items() if value is not None}
        for number, one in enumerate(_pages(client, "/link", params)):
            if number == most:
                output.print(f"the newest {most}; --most shows more")
                break
            rows.append(
                (one["linkId"], one["workflowId"], one["state"], one["email"] or "", _sending(one), one["expiresAt"])
            )
    for line in aligned(rows):
        output.print(line, highlight=False, markup=False)


def _body(
    client: httpx.Client, definition: str, parameters: list[str], record: UUID | None, lang: str | None
) -> dict[str, Any]:
    optional = {
        "parameters": dict(_parameter(text) for text in parameters) or None,
        "recordId": None if record is None else str(record),
        "lang": lang,
    }
    given = {name: value for name, value in optional.items() if value is not None}
    return {"workflowDefinitionId": _definition_id(client, definition), **given}


def _parameter(text: str) -> tuple[str, Any]:
    name, is_there, value = text.partition("=")
    if not is_there or not name:
        raise CommandError(f"--parameter: write name=value, not `{text}`")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _definition_id(client: httpx.Client, name: str) -> str:
    from passerelle.kit.ids import parse_id  # noqa: PLC0415 - a command loads only what it needs

    if parse_id(name) is not None:
        return name
    for one in _pages(client, "/definitions", {}):
        if one["name"] == name:
            return str(one["id"])
    raise CommandError(f"there is no definition `{name}` there: push it with `passerelle push`")


def _posted(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = client.post(path, json=body, headers={"Accept": "application/json;version=2"})
    require_success(answer)
    return answer.json()


def _pages(client: httpx.Client, path: str, params: dict[str, str]) -> Iterator[dict[str, Any]]:
    after: dict[str, str] = {}
    while True:
        answer = client.get(path, params={"limit": "100", **params, **after})
        require_success(answer)
        page = answer.json()
        yield from page["data"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}


def _sending(link: dict[str, Any]) -> str:
    sending = link["sending"]
    if sending is None:
        return ""
    return str(sending["status"]) + (f": {sending['error']}" if sending["error"] else "")


def _show(value: Any) -> None:
    output.print_json(json.dumps(value))
