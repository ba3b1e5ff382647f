"""`passerelle retention`: how long a workspace keeps what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from passerelle.cli.api_client import called, command
from passerelle.cli.printing import show_table
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

DEFAULT: Final = "default"

_Rules = Annotated[
    list[str],
    typer.Argument(help="kind=400d, kind=400d,archive, kind=ever, or kind=default for what the installation says."),
]


@command(app, "show")
def show_retention(client: httpx.Client) -> None:
    """Show how long each kind of data is kept, and what decides it."""
    show_table(_rows(called(client, "GET", "/retention")["data"]))


@command(app, "preview")
def preview_retention(client: httpx.Client, rules: _Rules) -> None:
    """Say what would be removed next if the workspace kept things so long; nothing is changed."""
    show_table(_removed(client, _wanted(client, rules)))


@command(app, "set")
def set_retention(
    client: httpx.Client,
    rules: _Rules,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, although something would be removed.")] = False,
) -> None:
    """Say how long the workspace keeps what, after telling what would be removed; what is not named stays as it is."""
    wanted = _wanted(client, rules)
    removed = _removed(client, wanted)
    if len(removed) > 1:
        show_table(removed)
        if not yes and not typer.confirm("This is removed for good. Go on?"):
            raise typer.Exit(1)
    show_table(_rows(called(client, "PUT", "/retention", wanted)["data"]))


def _wanted(client: httpx.Client, rules: list[str]) -> dict[str, Any]:
    """The workspace's rules with those that are given in their place. Raises `CommandError`."""
    before = called(client, "GET", "/retention")["data"]
    kinds = [one["kind"] for one in before if one["least"] is not None]
    wanted = {one["kind"]: one["lasts"] or "ever" for one in before if one["own"]}
    archived = {one["kind"] for one in before if one["archive"]}
    for rule in rules:
        kind, is_there, text = rule.partition("=")
        if not is_there or kind not in kinds:
            raise CommandError(f"write kind=400d with one of {', '.join(kinds)}, not `{rule}`")
        wanted.pop(kind, None)
        archived.discard(kind)
        length, _, archive = text.partition(",")
        if length != DEFAULT:
            wanted[kind] = length
        if archive:
            if archive != "archive":
                raise CommandError(f"write {kind}=400d,archive, not `{rule}`")
            archived.add(kind)
    return {**wanted, "archive": sorted(archived)}


def _removed(client: httpx.Client, wanted: Mapping[str, Any]) -> list[tuple[str, ...]]:
    found = called(client, "POST", "/retention/preview", dict(wanted))["data"]
    rows = [
        (one["kind"], f"{one['removed']:,}{' or more' if one['more'] else ''}", f"{one['held']:,}")
        for one in found
        if one["removed"] or one["held"] or one["more"]
    ]
    return [("kind", "would be removed", "held"), *rows]


def _rows(kept: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    rows = [(one["kind"], one["lasts"] or "ever", _said_by(one), f"since {one['since']}") for one in kept]
    return [("kind", "kept", "said by", ""), *rows]


def _said_by(one: dict[str, Any]) -> str:
    if one["own"]:
        return "own, archived" if one["archive"] else "own"
    return str(one["setting"] or "")
