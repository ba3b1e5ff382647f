"""`passerelle pull` and `passerelle diff`: what a running Passerelle has, and the files of people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from passerelle.cli import scenario_files
from passerelle.cli.api_client import pages, require_success
from passerelle.cli.roles_client import own_roles
from passerelle.cli.roles_client import plan as plan_roles
from passerelle.cli.tables_client import RemoteTable, plan, remote_tables
from passerelle.definitions.files import ROLES, TABLES, gather, read_text
from passerelle.definitions.source import read_source
from passerelle.definitions.words import suggest
from passerelle.kit.errors import CommandError
from passerelle.people.role_files import read_role
from passerelle.people.role_files import written as role_written
from passerelle.tables.differences import differences
from passerelle.tables.files import read_table, written
from passerelle.tables.schemas import TableBody

if TYPE_CHECKING:
    import httpx


FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a push of one file would do."""

    summary: str
    lines: tuple[str, ...] = ()
    """What changes: of a definition a unified diff from what is there to the file; empty where nothing does."""


@dataclass(frozen=True, slots=True)
class _Remote:
    """A definition as the API tells it: the published revision, or the newest where none is published."""

    id: str
    name: str
    revision: int
    published: bool


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to stand in one file."""

    file: Path
    text: str
    state: str
    same: Callable[[str], bool]
    """Whether the text of a file says this already."""


def pull(client: httpx.Client, names: Sequence[str], folder: Path, *, force: bool) -> Iterator[str]:
    """Write definitions with their scenarios to `folder`, tables and roles to its folders `tables` and `roles`.

    One line for each file. All tables and definitions, and the roles that the token may see, where none is named.

    Raises `CommandError` for unknown names, and for files that say something else, which only `force` overwrites.
    """
    definitions, tables, roles = _definitions(client), remote_tables(client), own_roles(client)
    _refuse_unknown(names, {*definitions, *tables, *roles})
    problems: list[str] = []
    for wanted in _wanted(client, names, definitions, tables, roles, folder):
        before = read_text(wanted.file) if wanted.file.exists() else None
        unchanged = before is not None and wanted.same(before)
        if before is not None and not unchanged and not force:
            problems.append(
                f"{wanted.file} says something else: see `passerelle diff {wanted.file}`, or overwrite it with --force"
            )
            continue
        if not unchanged:
            wanted.file.parent.mkdir(parents=True, exist_ok=True)
            wanted.file.write_bytes(wanted.text.encode())
        news = "unchanged" if unchanged else "overwritten" if before is not None else "new"
        yield f"{wanted.file}: {wanted.state}, {news}"
    yield from _drafts(client, [definitions[name] for name in names or definitions if name in definitions])
    if problems:
        raise CommandError("\n".join(problems))


def _drafts(client: httpx.Client, definitions: Sequence[_Remote]) -> Iterator[str]:
    """A line for each draft of these definitions that the token may see: it is not in the files."""
    answer = client.get("/drafts")
    if answer.status_code == FORBIDDEN:
        return
    require_success(answer)
    names = {one.id: one.name for one in definitions}
    for draft in answer.json()["data"]:
        if draft["definitionId"] in names:
            yield (
                f"{names[draft['definitionId']]}: draft `{draft['name']}` of {draft['owner']} rests on "
                f"revision {draft['baseRevision']}: passerelle draft pull {draft['id']}"
            )


def _wanted(
    client: httpx.Client,
    names: Sequence[str],
    definitions: Mapping[str, _Remote],
    tables: Mapping[str, RemoteTable],
    roles: Mapping[str, dict[str, Any]],
    folder: Path,
) -> Iterator[_Wanted]:
    for name in names or definitions:
        if name in definitions:
            text = _text(client, definitions[name])
            state = f"revision {definitions[name].revision}"
            file = folder / _file_name(name)
            yield _Wanted(file, text, state, text.__eq__)
            scenarios = scenario_files.kept(client, definitions[name].id)
            if text := scenarios["scenarios"]:
                state = f"scenarios, version {scenarios['version']}"
                yield _Wanted(scenario_files.beside(file), text, state, text.__eq__)
    for name in names or tables:
        if name in tables:
            table = tables[name].body
            yield _Wanted(folder / TABLES / _file_name(name), written(table), f"table {name}", _says(table))
    for name in names or roles:
        if name in roles:
            text = role_written(roles[name])
            yield _Wanted(folder / ROLES / _file_name(name), text, f"role {name}", _says_role(text))


def _says_role(role: str) -> Callable[[str], bool]:
    """Whether a text describes the role, in whatever words and with whatever comments."""

    def says(text: str) -> bool:
        body = read_role(text).body
        return body is not None and role_written(body.model_dump(by_alias=True, exclude_none=True)) == role

    return says


def _says(table: TableBody) -> Callable[[str], bool]:
    """Whether a text describes the table, in whatever words and with whatever comments."""

    def says(text: str) -> bool:
        body = read_table(text).body
        return body is not None and body.name == table.name and not differences(table, body)

    return says


def changes(client: httpx.Client, paths: Sequence[Path]) -> Iterator[FileChange]:
    """What a push of the files would do. Raises `CommandError` for a file that could not be pushed."""
    files = gather(paths).require()
    if files.tables:
        for one in plan(remote_tables(client), files.tables):
            yield FileChange(one.summary, tuple(map(str, one.differences)))
    if files.roles:
        for role in plan_roles(own_roles(client), files.roles):
            lines = _diff(role.before or "", role.after, f"role {role.name}", role.file) if role.changes else ()
            yield FileChange(role.summary, lines)
    remote = _definitions(client) if files.definitions else {}
    for file, text in files.definitions:
        there = remote.get(_name(file, text))
        yield _change(client, file, text, there)
        yield from _scenarios(client, scenario_files.beside(file), _name(file, text), there)


def _scenarios(client: httpx.Client, file: Path, name: str, remote: _Remote | None) -> Iterator[FileChange]:
    if not file.exists():
        return
    nothing: dict[str, Any] = {"scenarios": "", "version": 0, "updatedBy": None}
    text = read_text(file)
    if scenario_files.names_a_file(text):
        return
    there = nothing if remote is None else scenario_files.kept(client, remote.id)
    if text != there["scenarios"]:
        shown = f"scenarios of {name}, version {there['version']}"
        yield FileChange(scenario_files.would_do(file, name, there), _diff(there["scenarios"], text, shown, file))


def _change(client: httpx.Client, file: Path, text: str, remote: _Remote | None) -> FileChange:
    if remote is None:
        return FileChange(
            f"{file}: a push makes a new definition {_name(file, text)}", _diff("", text, "/dev/null", file)
        )
    there = _text(client, remote)
    newest = _newest(client, remote)
    shown = f"{remote.name} revision {remote.revision} ({'published' if remote.published else 'draft'})"
    if text == there and newest == remote.revision:
        does = "a push does nothing" if remote.published else "a push publishes this draft"
        return FileChange(f"{file}: the same as {shown}; {does}")
    draft = f"; compared with {shown}, revision {newest} is a draft" if newest != remote.revision else ""
    return FileChange(
        f"{file}: a push makes revision {newest + 1} of {remote.name}{draft}", _diff(there, text, shown, file)
    )


def _diff(before: str, after: str, title: str, file: Path) -> tuple[str, ...]:
    lines = unified_diff(before.splitlines(), after.splitlines(), title, str(file), lineterm="")
    shown = tuple(lines)
    if not shown and before != after:
        return (f"--- {title}", f"+++ {file}", "(only the ends of lines differ)")
    return shown


def _definitions(client: httpx.Client) -> dict[str, _Remote]:
    """Every definition of the workspace by its name."""
    return {
        item["name"]: _Remote(item["id"], item["name"], item["revision"], item["published"])
        for item in pages(client, "/definitions")
    }


def _text(client: httpx.Client, definition: _Remote) -> str:
    answer = client.get(f"/definitions/{definition.id}", headers={"Accept": "application/yaml"})
    require_success(answer)
    return answer.content.decode("utf-8")


def _newest(client: httpx.Client, definition: _Remote) -> int:
    answer = client.get(f"/definitions/{definition.id}/revisions")
    require_success(answer)
    return max(int(entry["revision"]) for entry in answer.json()["data"])


def _refuse_unknown(names: Sequence[str], known: set[str]) -> None:
    problems = [
        f"the workspace has no definition, table or role {name}; {suggest(name, sorted(known), 'it has')}"
        for name in names
        if name not in known
    ]
    if problems:
        raise CommandError("\n".join(problems))


def _file_name(name: str) -> str:
    # The server is another's: what it says must not lead out of the folder.
    if Path(name).name != name or name in (".", ".."):
        raise CommandError(f"the server has something called {name!r}, which is no name of a file")
    return f"{name}.yaml"


def _name(file: Path, text: str) -> str:
    source = read_source(text)
    name = source.value.get("name") if isinstance(source.value, dict) else None
    if not isinstance(name, str):
        raise CommandError(f"{file}: has no `name`; see `passerelle check {file}`")
    return name
