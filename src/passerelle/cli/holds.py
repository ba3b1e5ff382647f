"""`passerelle hold`: what nobody and nothing removes until somebody releases it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from passerelle.cli.api_client import called, command, pages
from passerelle.cli.printing import say, show_table
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)


@command(app, "list")
def list_holds(
    client: httpx.Client,
    released: Annotated[bool, typer.Option("--released", help="Those that were released, too.")] = False,
) -> None:
    """List the legal holds, the newest first."""
    rows = [("id", "on", "", "since", "by", "released", "reason")]
    for one in pages(client, "/holds", released=str(released).lower()):
        ended = one["releasedAt"] or ""
        rows.append((one["id"], one["kind"], one["objectId"], one["placedAt"], one["placedBy"], ended, one["reason"]))
    show_table(rows)


@command(app, "place")
def place_hold(
    client: httpx.Client,
    on: Annotated[Literal["workspace", "record", "execution"], typer.Argument(help="What is held.")],
    object_id: Annotated[UUID | None, typer.Argument(metavar="ID", help="Its id; none for the workspace.")] = None,
    reason: Annotated[str, typer.Option(help="Why, such as the number of the proceedings.")] = "",
) -> None:
    """Keep a record, an execution or everything: nothing of it is removed until the hold is released."""
    if not reason:
        raise CommandError("say why with --reason, such as the number of the proceedings")
    body = {"kind": on, "reason": reason, **({} if object_id is None else {"id": str(object_id)})}
    made = called(client, "POST", "/holds", body)
    say(f"the hold {made['id']} keeps the {on} {made['objectId']}")


@command(app, "release")
def release_hold(client: httpx.Client, hold: Annotated[UUID, typer.Argument(help="The hold's id.")]) -> None:
    """End a hold: what it kept is treated as everything else again."""
    called(client, "POST", f"/holds/{hold}/release")
    say(f"the hold {hold} is released")
