"""`passerelle draft`: what people are working on in the builder, as files, over the API."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from passerelle.cli import scenario_files
from passerelle.cli.api_client import aligned, called, command, definition_of, pages, require_success
from passerelle.definitions.files import read_text
from passerelle.definitions.source import read_source
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(help="Drafts: what is being written in the builder, as files.", no_args_is_help=True)
output = Console(soft_wrap=True)

Draft = Annotated[str, typer.Argument(help="The draft's id or, where only one is called so, its name.")]


@command(app, "list")
def list_drafts(
    client: httpx.Client,
    definition: Annotated[str | None, typer.Argument(help="Only drafts of this definition: its name or id.")] = None,
) -> None:
    """List your own drafts and those that are shared, the last changed first."""
    only = "" if definition is None else f"?definitionId={definition_of(client, definition)['id']}"
    rows = [
        ("id", "name", "by", "version", "rests on", "shared", "changed"),
        *map(_row, _listed(client, only)),
    ]
    for line in aligned(rows):
        output.print(line, markup=False, highlight=False)


@command(app, "pull")
def pull_draft(
    client: httpx.Client,
    draft: Draft,
    folder: Annotated[Path, typer.Option("--dir", help="Where its file goes.")] = Path("definitions"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that says something else.")] = False,
) -> None:
    """Write a draft to NAME.yaml, as the definition in it is called, and its scenarios to NAME.test.yaml."""
    found = _draft(client, draft)
    file = folder / f"{_file_stem(found)}.yaml"
    wanted = {file: found["text"], scenario_files.beside(file): found["scenarios"]}
    wanted = {one: text for one, text in wanted.items() if text}
    other = [one for one, text in wanted.items() if one.exists() and read_text(one) != text]
    if other and not force:
        raise CommandError("\n".join(f"{one} says something else: overwrite it with --force" for one in other))
    folder.mkdir(parents=True, exist_ok=True)
    for one, text in wanted.items():
        one.write_bytes(text.encode())
        output.print(f"{one}: draft {found['name']}, version {found['version']}", markup=False, highlight=False)


@command(app, "push")
def push_draft(
    client: httpx.Client,
    file: Annotated[Path, typer.Argument(help="A definition; it may be unfinished.")],
    onto: Annotated[str | None, typer.Option(help="The draft that it becomes; without it a new one is made.")] = None,
    version: Annotated[int | None, typer.Option(help="With --onto: the version that you began with.")] = None,
    share: Annotated[bool, typer.Option("--share", help="Show a new draft to all who may change definitions.")] = False,
) -> None:
    """Put a file before people in the builder: as a new draft, or onto one that nobody has changed meanwhile."""
    beside = scenario_files.beside(file)
    body = {"text": read_text(file), **({"scenarios": read_text(beside)} if beside.exists() else {})}
    if onto is None:
        kept = called(client, "POST", "/drafts", {**_about(client, file, body["text"]), **body, "shared": share})
    else:
        if version is None:
            raise CommandError("--onto needs the --version that you began with, as `passerelle draft pull` said it")
        path = f"/drafts/{_draft(client, onto)['id']}"
        answer = client.patch(path, json=body, headers={"If-Match": f'"{version}"'})
        require_success(answer)
        kept = answer.json()
    output.print(
        f"draft {kept['name']}, version {kept['version']}: {str(client.base_url).rstrip('/')}/app/drafts/{kept['id']}",
        markup=False,
        highlight=False,
    )


@command(app, "diff")
def diff_draft(
    client: httpx.Client,
    draft: Draft,
    other: Annotated[str | None, typer.Argument(help="Another draft; default: the revision that it rests on.")] = None,
) -> None:
    """Show what a draft changes, or how another one differs from it; exit status 1 if anything."""
    found = _draft(client, draft)
    before, after = (_base(client, found), found) if other is None else (found, _draft(client, other))
    left, right = (f"{one['name']} ({one['of']})" for one in (before, after))
    lines = list(unified_diff(before["text"].splitlines(), after["text"].splitlines(), left, right, lineterm=""))
    for line in lines:
        output.print(line, markup=False, highlight=False)
    if lines:
        raise typer.Exit(1)


def _listed(client: httpx.Client, query: str = "") -> list[dict[str, Any]]:
    """The drafts that the token may see: the API gives them on one page."""
    found: list[dict[str, Any]] = called(client, "GET", f"/drafts{query}")["data"]
    return found


def _draft(client: httpx.Client, wanted: str) -> dict[str, Any]:
    """The draft with this id or name, with its text. Raises `CommandError`."""
    there = _listed(client)
    found = [one for one in there if one["id"] == wanted] or [one for one in there if one["name"] == wanted]
    if len(found) > 1:
        raise CommandError(f"{len(found)} drafts are called `{wanted}`: name one by its id, as `draft list` shows it")
    if not found:
        raise CommandError(f"there is no draft `{wanted}`, or it is another person's own; see `passerelle draft list`")
    read: dict[str, Any] = called(client, "GET", f"/drafts/{found[0]['id']}")
    return {**read, "of": f"version {read['version']} of {read['owner']}"}


def _base(client: httpx.Client, draft: dict[str, Any]) -> dict[str, Any]:
    """What a draft rests on; nothing where it is a new definition's."""
    number = draft["baseRevision"]
    if number is None:
        return {"name": draft["name"], "text": "", "of": "nothing"}
    shown = called(client, "GET", f"/definitions/{draft['definitionId']}/revisions/{number}")
    return {"name": draft["name"], "text": shown["text"], "of": f"revision {number}"}


def _about(client: httpx.Client, file: Path, text: str) -> dict[str, Any]:
    """What a new draft is about: the newest revision of the definition that its text names, if there is one."""
    name = _name_in(text)
    there = next((one for one in pages(client, "/definitions") if one["name"] == name), None)
    if there is None:
        return {"name": name or file.stem}
    revisions = called(client, "GET", f"/definitions/{there['id']}/revisions")["data"]
    newest = max(int(one["revision"]) for one in revisions)
    return {"name": name, "definitionId": there["id"], "baseRevision": newest}


def _file_stem(draft: dict[str, Any]) -> str:
    name = _name_in(draft["text"]) or str(draft["id"])
    # What people type in a draft must not lead out of the folder.
    if Path(name).name != name or name in (".", ".."):
        raise CommandError(f"the draft's definition is called {name!r}, which is no name of a file")
    return name


def _name_in(text: str) -> str | None:
    value = read_source(text).value
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) and name else None


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    base, newest = one["baseRevision"], one["newestRevision"]
    behind = f", newest {newest}" if base is not None and newest is not None and newest > base else ""
    return (
        one["id"],
        one["name"],
        "you" if one["mine"] else one["owner"],
        str(one["version"]),
        "nothing" if base is None else f"revision {base}{behind}",
        "yes" if one["shared"] else "no",
        one["updatedAt"],
    )
