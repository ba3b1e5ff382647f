"""`passerelle key`: credentials of a workspace."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from passerelle.cli.api_client import DEMO_DIR
from passerelle.cli.database_commands import DevDir, run, settings_beside
from passerelle.cli.printing import say, show_json, show_table
from passerelle.kit.errors import CommandError

app = typer.Typer(no_args_is_help=True)


@app.command("create")
def create_key(
    workspace: UUID,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "key",
    api_version: Annotated[int, typer.Option(help="The version of requests that name none.", min=1, max=2)] = 2,
    permission: Annotated[
        list[str] | None, typer.Option(help="What it may do, such as `can_run`; repeat it. Without it: everything.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="From where it is taken, such as 10.0.0.0/8; repeat it.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="After how long it ends, such as `90d`.")] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="What it may decide: reviews assigned to this role; repeat it.")
    ] = None,
    token: Annotated[bool, typer.Option("--token", help="An organization token instead of key and secret.")] = False,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Make credentials for a workspace; they are shown this once."""
    from passerelle.app import processes

    lasts = None if expires is None else _duration(expires, "--expires")
    wanted = processes.WantedKey(name, api_version, role or [], permission or [], network or [], lasts)
    made = run(processes.create_key(settings_beside(data_dir), workspace, wanted, organization_token=token))
    show_json(made)


@app.command("list")
def list_keys(workspace: UUID, data_dir: DevDir = DEMO_DIR) -> None:
    """Show a workspace's keys that are not revoked: what each may do, until when, and when it was last used."""
    from passerelle.app import processes
    from passerelle.kit.clock import iso

    found = run(processes.list_keys(settings_beside(data_dir), workspace))
    rows = [
        (
            str(one.key.id),
            one.key.prefix,
            one.key.name,
            f"v{one.key.api_version}",
            "never" if one.key.expires_at is None else iso(one.key.expires_at),
            "never" if one.last_used_at is None else iso(one.last_used_at),
            one.key.made_by,
            f"{len(one.key.permissions)} permissions",
        )
        for one in found
    ]
    show_table([("id", "begins", "name", "version", "ends", "last used", "made by", "may"), *rows])


@app.command("revoke")
def revoke_key(workspace: UUID, key: UUID, data_dir: DevDir = DEMO_DIR) -> None:
    """End a key, by its id, and every token got with it: refused everywhere within two seconds."""
    from passerelle.app import processes

    run(processes.revoke_key(settings_beside(data_dir), workspace, key))
    say(f"the key {key} is revoked")


@app.command("rotate-signing")
def rotate_signing_key(
    workspace: UUID,
    overlap: Annotated[str, typer.Option(help="How long the new key is published before it signs.")] = "24h",
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Make another key to sign webhooks and tokens with; the one before stays published."""
    from passerelle.app import processes

    length = _duration(overlap, "--overlap")
    show_json(run(processes.rotate_signing_key(settings_beside(data_dir), workspace, length)))


def _duration(text: str, option: str) -> Any:
    from passerelle.kit.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from None
