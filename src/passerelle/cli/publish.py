"""`passerelle publish`: proposals to publish a revision, and deciding them, over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from passerelle.cli.api_client import called, command, definition_of, pages, require_success
from passerelle.cli.printing import say, show_table

if TYPE_CHECKING:
    import httpx

app = typer.Typer(help="Publishing by two persons: proposals, and deciding them.", no_args_is_help=True)

Proposal = Annotated[UUID, typer.Argument(help="The proposal's id, as `passerelle publish list` shows it.")]
Comment = Annotated[str | None, typer.Option(help="Why.")]


@command(app, "list")
def list_proposals(
    client: httpx.Client, every: Annotated[bool, typer.Option("--all", help="Those that are decided, too.")] = False
) -> None:
    """List the proposals that wait for a second person."""
    rows: list[tuple[str, ...]] = [
        ("id", "definition", "revision", "instead of", "status", "proposed by", "at", "note")
    ]
    for one in pages(client, "/proposals"):
        if every or one["status"] in ("open", "stale"):
            rows.append(_row(one))
    show_table(rows)


@command(app, "propose")
def propose(
    client: httpx.Client,
    definition: Annotated[str, typer.Argument(help="The definition's name or id.")],
    revision: Annotated[int, typer.Argument(help="The revision that should be published, an older one too.")],
    note: Annotated[str | None, typer.Option(help="Why; stands beside the revision later.")] = None,
) -> None:
    """Propose to publish a revision that is there already. `passerelle push` does it for what it pushes."""
    path = f"/definitions/{definition_of(client, definition)['id']}/proposals"
    answer = client.post(path, json={"revision": revision, "note": note})
    require_success(answer)
    shown = answer.json()
    said = f"proposed {shown['name']} revision {revision} ({shown['id']}); somebody else has to approve it"
    say(said)


@command(app, "approve")
def approve(client: httpx.Client, proposal: Proposal, comment: Comment = None) -> None:
    """Publish what somebody else proposed. The token counts as whoever made it."""
    shown = _decide(client, f"{proposal}/approve", {"comment": comment})
    say(f"published {shown['name']} revision {shown['revision']}")


@command(app, "decline")
def decline(client: httpx.Client, proposal: Proposal, comment: Comment = None) -> None:
    """Say no to what somebody else proposed; the revision stays a draft."""
    shown = _decide(client, f"{proposal}/decline", {"comment": comment})
    say(f"declined {shown['name']} revision {shown['revision']}")


@command(app, "withdraw")
def withdraw(client: httpx.Client, proposal: Proposal) -> None:
    """Take one's own proposal back."""
    shown = _decide(client, f"{proposal}/withdraw", None)
    say(f"withdrew {shown['name']} revision {shown['revision']}")


def _decide(client: httpx.Client, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    shown: dict[str, Any] = called(client, "POST", f"/proposals/{path}", body)
    return shown


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        one["id"],
        one["name"],
        str(one["revision"]),
        "nothing" if one["published"] is None else str(one["published"]),
        one["status"],
        one["proposedBy"],
        one["proposedAt"],
        one["note"] or "",
    )
