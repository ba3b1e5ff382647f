"""Roles of a running Passerelle, as commands see them: what a push of files would change, and the push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passerelle.cli.api_client import messages_of, require_success
from passerelle.kit.errors import CommandError, Problem
from passerelle.people.role_files import RoleText, read_role, written

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class PlannedRole:
    """What a push of one role's file would do. `before` and `after`: the role as a file says it."""

    file: Path
    text: RoleText
    before: str | None
    after: str

    @property
    def name(self) -> str:
        """The role's name."""
        assert self.text.body is not None
        return self.text.body.name

    @property
    def changes(self) -> bool:
        """Whether there is anything to push."""
        return self.before != self.after

    @property
    def summary(self) -> str:
        """One line."""
        if self.before is None:
            return f"{self.file}: a push makes a new role {self.name}"
        does = f"a push changes the role {self.name}" if self.changes else "a push does nothing"
        return f"{self.file}: {does}"


def own_roles(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """The workspace's own roles by their names. Raises `CommandError`."""
    answer = client.get(f"{_path(client)}", params={"size": "500"})
    require_success(answer)
    return {one["name"]: one for one in answer.json()["content"] if one["type"] == "OWN"}


def plan(roles: Mapping[str, dict[str, Any]], files: Sequence[tuple[Path, str]]) -> list[PlannedRole]:
    """What a push of these files would do. Raises `CommandError` with everything that is wrong with them."""
    texts = [(file, read_role(text)) for file, text in files]
    problems = [f"{file}:{problem}" for file, text in texts for problem in text.problems]
    if problems:
        raise CommandError("\n".join(problems))
    planned = []
    for file, text in texts:
        assert text.body is not None
        there = roles.get(text.body.name)
        body = text.body.model_dump(by_alias=True, exclude_none=True)
        planned.append(PlannedRole(file, text, None if there is None else written(there), written(body)))
    return planned


def push(client: httpx.Client, planned: Sequence[PlannedRole]) -> Iterator[str]:
    """Make and change the roles; one line for each that is in. Raises `CommandError` with all that failed."""
    path, problems = _path(client), []
    for one in planned:
        assert one.text.body is not None
        body = one.text.body.model_dump(by_alias=True, exclude_none=True)
        if one.changes:
            if one.before is None:
                answer = client.post(path, json=body)
            else:
                answer = client.put(f"{path}/{one.name}", json={key: body[key] for key in body if key != "name"})
            if not answer.is_success:
                problems += [f"{one.file}:{line}" for line in _refusals(one, answer)]
                continue
        news = "new" if one.before is None else "changed" if one.changes else "unchanged"
        yield f"{one.file}: role {one.name}, {news}"
    if problems:
        raise CommandError("\n".join(problems))


def _refusals(one: PlannedRole, answer: httpx.Response) -> list[str]:
    """What the server says, at the lines of the file."""
    messages = messages_of(answer)
    try:
        pointers = [error.get("pointer") for error in answer.json()["errors"]]
    except (ValueError, KeyError, TypeError):
        return messages
    found = [Problem("", message, pointer) for message, pointer in zip(messages, pointers, strict=True)]
    return [str(problem) for problem in one.text.at(found)]


def _path(client: httpx.Client) -> str:
    answer = client.get("/me")
    require_success(answer)
    return f"/workspaces/{answer.json()['workspace']['id']}/roles"
