"""`passerelle audit`: who did what, and whether the audit is as it was written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from passerelle.cli.api_client import DEMO_DIR, command, require_success
from passerelle.cli.database_commands import DevDir, run, settings_beside
from passerelle.cli.printing import show_json, show_table
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

Actor = Annotated[str | None, typer.Option("--actor", help="Only what this user or key did, by id.")]
Action = Annotated[str | None, typer.Option("--action", help="Only this, such as revokeKey or signIn.")]
Thing = Annotated[str | None, typer.Option("--object", help="Only what was done to the object with this id.")]
Since = Annotated[str | None, typer.Option("--since", help="Only entries from this time on (ISO 8601).")]
Until = Annotated[str | None, typer.Option("--until", help="Only entries before this time (ISO 8601).")]
Text = Annotated[str | None, typer.Option("--text", help="Only entries that have this text in them.")]
OfOrganization = Annotated[
    bool, typer.Option("--organization", help="The organization's: sign-ins of people, users and roles.")
]


@command(app, "list")
def list_audit(
    client: httpx.Client,
    actor: Actor = None,
    action: Action = None,
    object_: Thing = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    organization: OfOrganization = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, the newest first.")] = 50,
) -> None:
    """Show who did what, the newest first."""
    params = _params(actor, action, object_, since, until, text, organization=organization)
    rows: list[tuple[str, ...]] = [("at", "who", "action", "object", "outcome", "from")]
    after: str | None = None
    while len(rows) <= limit:
        more = {"limit": str(limit), **({"after": after} if after else {})}
        answer = client.get("/audit", params={**params, **more})
        require_success(answer)
        page = answer.json()
        rows += [_row(one) for one in page["data"]]
        after = page["next"]
        if after is None:
            break
    show_table(rows[: limit + 1])


@command(app, "export")
def export_audit(
    client: httpx.Client,
    actor: Actor = None,
    action: Action = None,
    object_: Thing = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    organization: OfOrganization = False,
) -> None:
    """Write entries to the standard output, the oldest first, a line of JSON each."""
    params = _params(actor, action, object_, since, until, text, organization=organization)
    with client.stream("GET", "/audit/export", params=params) as answer:
        if not answer.is_success:
            answer.read()
        require_success(answer)
        for part in answer.iter_bytes():
            sys.stdout.buffer.write(part)


@app.command("verify")
def verify_audit(
    file: Annotated[
        Path | None, typer.Argument(help="An export; without it, every chain in the database is looked through.")
    ] = None,
    chain: Annotated[
        UUID | None, typer.Option("--chain", help="Only this workspace or organization, by its id.")
    ] = None,
    head: Annotated[
        str | None, typer.Option("--head", help="A hash that was written down before: it must still be there.")
    ] = None,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Look whether every entry follows from the one before it; names the first that does not. Exit status 1 then."""
    reports = [_of_file(file)] if file is not None else _of_database(data_dir, chain, head)
    for report in reports:
        show_json(report)
    if not reports or not all(report["intact"] for report in reports):
        raise typer.Exit(1)


def _of_file(file: Path) -> dict[str, Any]:
    from passerelle.audit.verifying import verify_export

    try:
        with file.open(encoding="utf-8") as lines:
            return dict(verify_export(lines).to_json())
    except (OSError, ValueError) as error:
        raise CommandError(f"{file}: {error}") from None


def _of_database(data_dir: Path, chain: UUID | None, head: str | None) -> list[dict[str, Any]]:
    from passerelle.app import processes

    found: list[dict[str, Any]] = run(processes.verify_audit(settings_beside(data_dir), chain, head))
    return found


def _params(
    actor: str | None,
    action: str | None,
    object_: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
    *,
    organization: bool,
) -> dict[str, str]:
    given = {
        "actor": actor,
        "action": action,
        "object": object_,
        "since": since,
        "until": until,
        "text": text,
        "of": "organization" if organization else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    thing = entry["object"]
    return (
        entry["at"],
        f"{entry['by']['name']} ({entry['by']['type']})",
        entry["action"],
        "" if thing is None else f"{thing['kind']} {thing['id'] or ''}".strip(),
        entry["outcome"] if entry["code"] is None else f"{entry['outcome']}: {entry['code']}",
        entry["address"] or "",
    )
