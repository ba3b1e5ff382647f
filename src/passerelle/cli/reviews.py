"""`passerelle reviews`: open reviews, and deciding them, over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from passerelle.cli.api_client import aligned, command, pages, require_success

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)
output = Console(soft_wrap=True)


@command(app, "list")
def list_reviews(
    client: httpx.Client,
    assign_to: Annotated[str | None, typer.Option("--assign-to", help="Only of this role or person.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only those that you may decide.")] = False,
) -> None:
    """List the reviews that wait for a decision."""
    params = {**({"assignTo": assign_to} if assign_to is not None else {}), **({"mine": "true"} if mine else {})}
    rows: list[tuple[str, ...]] = [("execution", "step", "definition", "title", "outcomes", "assigned to", "until")]
    for one in pages(client, "/reviews", **params):
        rows.append(
            (
                one["workflowId"],
                one["step"],
                one["name"],
                _text(one["title"]),
                ", ".join(one["outcomes"]) + _votes(one),
                one["assignTo"] or "anybody",
                one["until"] or "",
            )
        )
    for line in aligned(rows):
        output.print(line, highlight=False, markup=False)


@command(app, "decide")
def decide(
    client: httpx.Client,
    workflow: Annotated[UUID, typer.Argument(help="The execution's id.")],
    step: Annotated[str, typer.Argument(help="The step, as the list names it.")],
    outcome: Annotated[str, typer.Argument(help="One of the review's outcomes.")],
    comment: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Decide a review."""
    from urllib.parse import quote

    body = {"outcome": outcome, **({"comment": comment} if comment is not None else {})}
    answer = client.post(f"/workflows/{workflow}/reviews/{quote(step, safe='')}", json=body)
    require_success(answer)
    shown = answer.json()
    still = any(step in (one.get("path"), one["step"]) for one in shown["waitingFor"])
    said = "noted; another person has to decide the same" if still else "decided"
    output.print(f"{said}; the execution is {shown['status']}", markup=False, highlight=False)


def _text(title: Any) -> str:
    return title if isinstance(title, str) else str(next(iter(title.values())))


def _votes(review: dict[str, Any]) -> str:
    return "".join(f"\n{vote['by']['name']}: {vote['outcome']}" for vote in review["votes"])
