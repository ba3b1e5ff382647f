"""A workspace's own roles as files: reads and checks a role's YAML, and writes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

import yaml
from pydantic import ValidationError

from passerelle.accounts.permissions import IN_WORKSPACES, PERMISSIONS
from passerelle.definitions.kinds import Path
from passerelle.definitions.problems import DefinitionProblem, placed
from passerelle.definitions.source import Source, read_source
from passerelle.definitions.words import suggest
from passerelle.definitions.yaml_text import Genre
from passerelle.kit.errors import Problem
from passerelle.kit.grants import KINDS
from passerelle.kit.http.fields import explain
from passerelle.people.workspace_schemas import RoleBody

_GENRE: Final = Genre("role", "`name` and `permissions`")
_WIDTH: Final = 120
_KEPT: Final = ("name", "description", "permissions", "grants")


@dataclass(frozen=True)
class RoleText:
    """What a text says of a role, or everything that is wrong with it."""

    source: Source
    problems: tuple[DefinitionProblem, ...]
    body: RoleBody | None
    """None where something is wrong."""

    def at(self, problems: list[Problem]) -> tuple[DefinitionProblem, ...]:
        """A server's problems at their places in the text."""
        found = [(_path(problem.pointer), problem.message) for problem in problems]
        return _placed(Source(self.source.value, (), self.source.places), found)


def read_role(text: str) -> RoleText:
    """Read a YAML or JSON text. What only a workspace can say is not looked at, such as whether a table is there."""
    source = read_source(text, _GENRE)
    if not source.readable:
        return RoleText(source, _placed(source, []), None)
    try:
        body = RoleBody.model_validate(source.value)
    except ValidationError as error:
        wrong = explain(cast("list[dict[str, Any]]", error.errors(include_url=False)), source.value, RoleBody)
        found = [(_path(problem.pointer), problem.message) for problem in wrong]
        return RoleText(source, _placed(source, found), None)
    problems = _placed(source, list(_judged(body)))
    return RoleText(source, problems, None if problems else body)


def written(role: dict[str, Any]) -> str:
    """A role, as the API shows it, as YAML that `read_role` takes."""
    facts = {name: role[name] for name in _KEPT if role.get(name)}
    # Their order says nothing: the server keeps its own.
    facts["permissions"] = sorted(role["permissions"])
    if "grants" in facts:
        facts["grants"] = [
            {name: value for name, value in grant.items() if value is not None and name != "problem"}
            for grant in facts["grants"]
        ]
    return yaml.safe_dump(facts, allow_unicode=True, sort_keys=False, width=_WIDTH)


def _judged(body: RoleBody) -> Iterator[tuple[Path, str]]:
    for index, name in enumerate(body.permissions):
        if name not in IN_WORKSPACES:
            hint = suggest(name, sorted(IN_WORKSPACES), "there are")
            yield ("permissions", index), f"`{name}` is no permission that a workspace gives; {hint}"
    for index, grant in enumerate(body.grants):
        named = [kind for kind in KINDS if getattr(grant, kind) is not None]
        if len(named) != 1:
            yield ("grants", index), "name one of `table`, `definition` and `review`, and `*` for all of them"
            continue
        for place, name in enumerate(grant.permissions):
            if name not in PERMISSIONS or named[0] not in PERMISSIONS[name].of:
                known = [one.name for one in PERMISSIONS.values() if named[0] in one.of]
                hint = suggest(name, known, "there are")
                yield ("grants", index, "permissions", place), f"`{name}` is not given on a {named[0]}; {hint}"


def _placed(source: Source, findings: list[tuple[Path, str]]) -> tuple[DefinitionProblem, ...]:
    return placed(source, findings, "role", "name")


def _path(pointer: str | None) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in (pointer or "").split("/")[1:])
