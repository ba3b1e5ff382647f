"""`passerelle link …`: links for end users, over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from passerelle.cli.api_client import Parameters, command, definition_of, pages, parameters_of, require_success
from passerelle.cli.printing import say, show_json, show_newest

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

_Definition = Annotated[str, typer.Argument(help="The definition's name or id.")]
_Record = Annotated[UUID | None, typer.Option(help="The record that the execution concerns, or your own reference.")]
_Lang = Annotated[str | None, typer.Option(help="The end user's language: pl, en-GB.")]
_Link = Annotated[UUID, typer.Argument(help="The link's id.")]


@command(app, "create")
def create_link(
    client: httpx.Client,
    definition: _Definition,
    parameter: Parameters = None,
    record: _Record = None,
    lang: _Lang = None,
    email: Annotated[str | None, typer.Option(help="Where one-time codes for another device are sent to.")] = None,
) -> None:
    """Start an execution and print the link that leads to it; it is shown this once."""
    body = _body(client, definition, parameter or [], record, lang)
    show_json(_posted(client, "/link", body | ({"email": email} if email is not None else {})))


@command(app, "send")
def send_link(
    client: httpx.Client,
    definition: _Definition,
    email: Annotated[str, typer.Argument(help="Where to send the link to.")],
    parameter: Parameters = None,
    record: _Record = None,
    lang: _Lang = None,
) -> None:
    """Start an execution and send its link by e-mail; `passerelle link show` tells what came of it."""
    body = _body(client, definition, parameter or [], record, lang)
    show_json(_posted(client, "/link/send", body | {"email": email}))


@command(app, "delete")
def delete_link(client: httpx.Client, link: _Link) -> None:
    """Make a link invalid, and end the visit that it began; the execution is left as it is."""
    require_success(client.delete(f"/link/{link}"))
    say(f"{link} is deleted")


@command(app, "show")
def show_link(client: httpx.Client, link: _Link) -> None:
    """Where a link stands, and what came of sending it."""
    answer = client.get(f"/link/{link}")
    require_success(answer)
    show_json(answer.json())


@command(app, "list")
def list_links(
    client: httpx.Client,
    definition: Annotated[str | None, typer.Option(help="Only to this definition, by name or id.")] = None,
    record: Annotated[UUID | None, typer.Option(help="Only for this record.")] = None,
    workflow: Annotated[UUID | None, typer.Option(help="Only of this execution.")] = None,
    most: Annotated[int, typer.Option(help="The most lines.", min=1)] = 50,
) -> None:
    """The newest links: where each stands."""
    wanted = {
        "workflowDefinitionId": None if definition is None else definition_of(client, definition)["id"],
        "recordId": record,
        "workflowId": workflow,
    }
    params = {name: str(value) for name, value in wanted.items() if value is not None}
    rows = (
        (one["linkId"], one["workflowId"], one["state"], one["email"] or "", _sending(one), one["expiresAt"])
        for one in pages(client, "/link", **params)
    )
    show_newest(("id", "execution", "state", "to", "sending", "expires"), rows, most)


def _body(
    client: httpx.Client, definition: str, parameters: list[str], record: UUID | None, lang: str | None
) -> dict[str, Any]:
    optional = {
        "parameters": parameters_of(parameters) or None,
        "recordId": None if record is None else str(record),
        "lang": lang,
    }
    given = {name: value for name, value in optional.items() if value is not None}
    return {"workflowDefinitionId": definition_of(client, definition)["id"], **given}


def _posted(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = client.post(path, json=body, headers={"Accept": "application/json;version=2"})
    require_success(answer)
    return answer.json()


def _sending(link: dict[str, Any]) -> str:
    sending = link["sending"]
    if sending is None:
        return ""
    return str(sending["status"]) + (f": {sending['error']}" if sending["error"] else "")
