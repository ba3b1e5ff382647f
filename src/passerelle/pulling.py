"""`passerelle pull` and `passerelle diff`: definitions of a running Passerelle, and the files of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

from passerelle.definitions.source import read_source
from passerelle.definitions.words import suggest
from passerelle.errors import CommandError
from passerelle.remote import require_success

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Change:
    """What a push of one file would do."""

    summary: str
    lines: tuple[str, ...] = ()
    """A unified diff from what is there to the file; empty where a push would do nothing."""


@dataclass(frozen=True, slots=True)
class _Remote:
    """A definition as the API tells it: the published revision, or the newest where none is published."""

    id: str
    name: str
    revision: int
    published: bool


def pull(client: httpx.Client, names: Sequence[str], folder: Path, *, force: bool) -> Iterator[str]:
    """Write definitions to `folder`, all of them where none is named; one line for each.

    Raises `CommandError` for unknown names, and for files that say something else, which only `force` overwrites.
    """
    remote = _definitions(client)
    wanted = [_known(name, remote) for name in names] if names else list(remote.values())
    problems: list[str] = []
    folder.mkdir(parents=True, exist_ok=True)
    for definition in wanted:
        file = folder / f"{_file_name(definition.name)}.yaml"
        text = _text(client, definition)
        before = _read(file) if file.exists() else None
        if before is not None and before != text and not force:
            problems.append(f"{file} says something else: see `passerelle diff {file}`, or overwrite it with --force")
            continue
        if before != text:
            file.write_bytes(text.encode())
        news = "unchanged" if before == text else "overwritten" if before is not None else "new"
        yield f"{file}: revision {definition.revision}, {news}"
    if problems:
        raise CommandError("\n".join(problems))


def changes(client: httpx.Client, files: Sequence[Path]) -> Iterator[Change]:
    """What a push of each file would do. Raises `CommandError` for a file that cannot be read or has no `name`."""
    remote = _definitions(client)
    for file in files:
        text = _read(file)
        name = _name(file, text)
        yield _change(client, file, text, name, remote.get(name))


def _change(client: httpx.Client, file: Path, text: str, name: str, remote: _Remote | None) -> Change:
    if remote is None:
        return Change(f"{file}: a push makes a new definition {name}", _diff("", text, "/dev/null", file))
    there = _text(client, remote)
    newest = _newest(client, remote)
    shown = f"{name} revision {remote.revision} ({'published' if remote.published else 'draft'})"
    if text == there and newest == remote.revision:
        does = "a push does nothing" if remote.published else "a push publishes this draft"
        return Change(f"{file}: the same as {shown}; {does}")
    draft = f"; compared with {shown}, revision {newest} is a draft" if newest != remote.revision else ""
    return Change(f"{file}: a push makes revision {newest + 1} of {name}{draft}", _diff(there, text, shown, file))


def _diff(before: str, after: str, title: str, file: Path) -> tuple[str, ...]:
    lines = unified_diff(before.splitlines(), after.splitlines(), title, str(file), lineterm="")
    shown = tuple(lines)
    if not shown and before != after:
        return (f"--- {title}", f"+++ {file}", "(only the ends of lines differ)")
    return shown


def _definitions(client: httpx.Client) -> dict[str, _Remote]:
    """Every definition of the workspace by its name."""
    found: dict[str, _Remote] = {}
    after: str | None = None
    while True:
        answer = client.get("/definitions", params={"limit": 500, **({"after": after} if after else {})})
        require_success(answer)
        page = answer.json()
        for item in page["data"]:
            found[item["name"]] = _Remote(item["id"], item["name"], item["revision"], item["published"])
        after = page["next"]
        if after is None:
            return found


def _text(client: httpx.Client, definition: _Remote) -> str:
    answer = client.get(f"/definitions/{definition.id}", headers={"Accept": "application/yaml"})
    require_success(answer)
    return answer.content.decode("utf-8")


def _newest(client: httpx.Client, definition: _Remote) -> int:
    answer = client.get(f"/definitions/{definition.id}/revisions")
    require_success(answer)
    return max(int(entry["revision"]) for entry in answer.json()["data"])


def _known(name: str, remote: dict[str, _Remote]) -> _Remote:
    if name not in remote:
        raise CommandError(f"the workspace has no definition {name}; {suggest(name, remote, 'it has')}")
    return remote[name]


def _file_name(name: str) -> str:
    # The server is another's: what it says must not lead out of the folder.
    if Path(name).name != name or name in (".", ".."):
        raise CommandError(f"the server has a definition {name!r}, which is no name of a file")
    return name


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: {error}") from None


def _name(file: Path, text: str) -> str:
    source = read_source(text)
    name = source.value.get("name") if isinstance(source.value, dict) else None
    if not isinstance(name, str):
        raise CommandError(f"{file}: has no `name`; see `passerelle check {file}`")
    return name
