"""`passerelle webhooks …`: endpoints, their log, and deliveries to a laptop."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import typer

from passerelle.cli.api_client import called, command, pages
from passerelle.cli.printing import say, say_all, show_json, show_newest, show_table
from passerelle.kit.durations import parse_duration
from passerelle.kit.errors import CommandError
from passerelle.kit.outgoing.rules import is_local, local_warning

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

_Endpoint = Annotated[UUID, typer.Argument(help="The endpoint's id.")]
_Events = Annotated[list[str] | None, typer.Option("--event", help="An event or a group; repeat it. All without it.")]
_Headers = Annotated[
    list[str] | None, typer.Option("--header", help="A header to send along, as 'Name: value'; repeat it.")
]
_ApiVersion = Annotated[
    int | None, typer.Option(help="How payloads look: 1 has caseId besides recordId.", min=1, max=2)
]
_Fields = Annotated[list[str] | None, typer.Option("--field", help="A field of the record to send along; repeat it.")]
_Pii = Annotated[list[str] | None, typer.Option("--pii", help="A class of personal data that may be sent; repeat it.")]
_Since = Annotated[datetime, typer.Option(help="From when on, in UTC: 2026-01-05T09:00:00.")]


@command(app, "list")
def list_endpoints(client: httpx.Client) -> None:
    """List the endpoints."""
    rows = [("id", "url", "events", "status")]
    for one in pages(client, "/webhooks/endpoints"):
        rows.append((one["id"], one["url"], ", ".join(one["events"]) or "all", _state(one)))
    show_table(rows)


@command(app, "create")
def create_endpoint(
    client: httpx.Client,
    to: Annotated[str, typer.Argument(help="Where to send events to.")],
    event: _Events = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    contact: Annotated[str | None, typer.Option(help="Who hears by e-mail when it is disabled.")] = None,
    field: _Fields = None,
    pii: _Pii = None,
    header: _Headers = None,
    api_version: _ApiVersion = None,
) -> None:
    """Have events sent to a URL; the secret is shown this once."""
    if (host := urlsplit(to).hostname) and is_local(host):
        typer.echo(f"warning: {local_warning(host)}", err=True)
    body = _given(
        url=to, events=event, description=description, contact=contact, fields=field, piiClasses=pii,
        headers=_headers(header), apiVersion=api_version,
    )  # fmt: skip
    show_json(called(client, "POST", "/webhooks/endpoints", body))


@command(app, "endpoint")
def show_endpoint(client: httpx.Client, endpoint: _Endpoint) -> None:
    """All about one endpoint, but for its secret and the values of its headers."""
    show_json(called(client, "GET", f"/webhooks/endpoints/{endpoint}", None))


@command(app, "change")
def change_endpoint(
    client: httpx.Client,
    endpoint: _Endpoint,
    to: Annotated[str | None, typer.Option(help="Where to send events to from now on.")] = None,
    event: Annotated[
        list[str] | None, typer.Option("--event", help="An event or a group, instead of those before; repeat it.")
    ] = None,
    all_events: Annotated[bool, typer.Option("--all-events", help="All events again.")] = False,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    contact: Annotated[str | None, typer.Option(help="Who hears by e-mail when it is disabled.")] = None,
    field: _Fields = None,
    pii: _Pii = None,
    header: _Headers = None,
    api_version: _ApiVersion = None,
) -> None:
    """Change what is given and leave the rest. Events, fields and headers take the place of those before."""
    body = _given(
        url=to, events=[] if all_events else event, description=description, contact=contact, fields=field,
        piiClasses=pii, headers=_headers(header), apiVersion=api_version,
    )  # fmt: skip
    if not body:
        raise CommandError("nothing is to change: see `passerelle webhooks change --help` for what can")
    show_json(called(client, "PATCH", f"/webhooks/endpoints/{endpoint}", body))


@command(app, "pause")
def pause_endpoint(client: httpx.Client, endpoint: _Endpoint) -> None:
    """Send nothing to an endpoint until it is activated; nothing is lost for 30 days."""
    show_json(called(client, "PATCH", f"/webhooks/endpoints/{endpoint}", {"paused": True}))


@command(app, "activate")
def activate_endpoint(client: httpx.Client, endpoint: _Endpoint) -> None:
    """Send again to an endpoint that was paused or disabled, beginning with what has waited."""
    show_json(called(client, "PATCH", f"/webhooks/endpoints/{endpoint}", {"paused": False}))


@command(app, "delete")
def delete_endpoint(client: httpx.Client, endpoint: _Endpoint) -> None:
    """End an endpoint; what is on its way to it is given up."""
    called(client, "DELETE", f"/webhooks/endpoints/{endpoint}", None)
    say(f"{endpoint} is deleted")


@command(app, "test")
def send_test(client: httpx.Client, endpoint: _Endpoint) -> None:
    """Send a test message; `passerelle webhooks show` tells what came of it."""
    show_json(called(client, "POST", f"/webhooks/endpoints/{endpoint}/test", {}))


@command(app, "rotate")
def rotate_secret(
    client: httpx.Client,
    endpoint: _Endpoint,
    overlap: Annotated[str, typer.Option(help="How long the secret before signs as well, in whole hours.")] = "24h",
) -> None:
    """Another secret, shown this once."""
    hours = _hours(overlap)
    show_json(called(client, "POST", f"/webhooks/endpoints/{endpoint}/rotate", {"overlapHours": hours}))


@command(app, "recover")
def recover_endpoint(client: httpx.Client, endpoint: _Endpoint, since: _Since) -> None:
    """Have everything since a time arrive: what failed, and what was never sent."""
    body = {"since": f"{since.isoformat()}Z"}
    show_json(called(client, "POST", f"/webhooks/endpoints/{endpoint}/recover", body))


@command(app, "log")
def list_deliveries(
    client: httpx.Client,
    endpoint: Annotated[UUID | None, typer.Option(help="Only to this endpoint.")] = None,
    status: Annotated[str | None, typer.Option(help="Only PENDING, DELIVERED or FAILED ones.")] = None,
    workflow: Annotated[UUID | None, typer.Option(help="Only of this execution.")] = None,
    most: Annotated[int, typer.Option(help="The most lines.", min=1)] = 50,
) -> None:
    """The newest deliveries."""
    wanted = {"endpointId": endpoint, "status": status, "workflowId": workflow}
    params = {name: str(value) for name, value in wanted.items() if value is not None}
    rows = (
        (
            one["id"],
            one["eventType"],
            one["status"],
            str(one["attempts"]),
            one["createdDate"],
            one["nextAttemptDate"] or "",
        )
        for one in pages(client, "/webhooks/deliveries", **params)
    )
    show_newest(("id", "event", "status", "attempts", "created", "next attempt"), rows, most)


@command(app, "show")
def show_delivery(client: httpx.Client, delivery: Annotated[UUID, typer.Argument(help="The delivery's id.")]) -> None:
    """A delivery with every attempt."""
    show_json(called(client, "GET", f"/webhooks/deliveries/{delivery}", None))


@command(app, "replay")
def replay(
    client: httpx.Client,
    delivery: Annotated[UUID | None, typer.Argument(help="The delivery's id; without it, all that failed.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Without an id: from when on, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Without an id: before when, in UTC.")] = None,
    endpoint: Annotated[UUID | None, typer.Option(help="Without an id: only to this endpoint.")] = None,
    status: Annotated[str, typer.Option(help="Without an id: PENDING or DELIVERED ones instead.")] = "FAILED",
    event: _Events = None,
) -> None:
    """Send one delivery again, or all that failed since a time, or that fit other filters."""
    if delivery is not None:
        show_json(called(client, "POST", f"/webhooks/deliveries/{delivery}/replay", {}))
        return
    if since is None:
        raise CommandError("give a delivery's id, or --since for all that failed since then")
    body = _given(
        since=f"{since.isoformat()}Z", until=f"{until.isoformat()}Z" if until else None, status=status, events=event,
        endpointId=str(endpoint) if endpoint else None,
    )  # fmt: skip
    show_json(called(client, "POST", "/webhooks/deliveries/replay", body))


@command(app, "listen")
def listen(
    client: httpx.Client,
    forward_to: Annotated[str, typer.Option(help="Where your receiver listens: http://localhost:3000/hooks.")],
    event: _Events = None,
    secret: Annotated[
        str | None, typer.Option(envvar="WEBHOOK_SECRET", help="What to sign with; else a new one.")
    ] = None,
) -> None:
    """Forward events to your laptop as they happen, signed as webhooks are, until Ctrl-C."""
    from passerelle.cli.forwarding import forward
    from passerelle.webhooks.signing import new_secret

    chosen = secret or new_secret()
    say(f"forwarding to {forward_to}; the secret is {chosen}")
    say_all(forward(client, forward_to, event or [], chosen))


def _given(**fields: Any) -> dict[str, Any]:
    """A body of what is given."""
    return {name: value for name, value in fields.items() if value is not None}


def _headers(lines: list[str] | None) -> dict[str, str] | None:
    if not lines:
        return None
    pairs = [line.partition(":") for line in lines]
    if wrong := [name for name, colon, _ in pairs if not colon]:
        raise CommandError(f"--header: write {wrong[0]} as 'Name: value'")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _hours(text: str) -> int:
    try:
        hours = parse_duration(text).total_seconds() / 3600
    except ValueError as error:
        raise CommandError(f"--overlap: {error}") from None
    if hours != int(hours):
        raise CommandError("--overlap: write whole hours, such as 24h")
    return int(hours)


def _state(endpoint: dict[str, Any]) -> str:
    if endpoint["disabledReason"]:
        return f"{endpoint['status']}: {endpoint['disabledReason']}"
    failing = endpoint["failingSince"]
    return endpoint["status"] if failing is None else f"{endpoint['status']}, failing since {failing}"
