"""Where definitions use what a workspace has by name: secrets, and lists of names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from passerelle.definitions.revisions.models import StoredRevision
from passerelle.definitions.revisions.repository import RevisionRepository
from passerelle.definitions.source import read_source
from passerelle.kit.json import Json

MOST: Final = 200
"""Revisions that are looked through; whoever has more is told so."""
MOST_NAMING: Final = 5_000
"""The same before something is deleted, which nobody wants to find used afterwards."""


@dataclass(frozen=True, slots=True)
class Use:
    """A revision, and the steps of it that use something; the newest or the published one of its definition."""

    stored: StoredRevision
    steps: Sequence[str]


@dataclass(frozen=True, slots=True)
class FoundUses:
    """Where something is used. `complete`: whether everything was looked through."""

    uses: Sequence[Use]
    complete: bool


class DefinitionUses:
    """Looks through what is published and what is newest of every definition."""

    def __init__(self, repository: RevisionRepository) -> None:
        self._repository = repository

    async def of_secret(self, workspace_id: UUID, name: str) -> FoundUses:
        """Where a secret is read."""
        named = re.compile(rf"\bsecrets\s*(?:\.\s*{re.escape(name)}\b|\[\s*[\"']{re.escape(name)}[\"']\s*\])")
        return await self._found(workspace_id, name, lambda one: isinstance(one, str) and bool(named.search(one)))

    async def of_list(self, workspace_id: UUID, name: str) -> FoundUses:
        """Where a list of names is searched: by its name, or because a check names none and searches all."""
        return await self._found(workspace_id, "sanctions", lambda one: _searches(one, name))

    async def naming_list(self, workspace_id: UUID, name: str) -> FoundUses:
        """Where a list of names is searched by its name."""
        return await self._found(workspace_id, name, lambda one: _searches(one, name, named=True), MOST_NAMING)

    async def _found(self, workspace_id: UUID, text: str, uses: Callable[[Json], bool], most: int = MOST) -> FoundUses:
        revisions = await self._repository.having(workspace_id, text, most + 1)
        found = await asyncio.to_thread(lambda: [Use(one, _steps(one, uses)) for one in revisions[:most]])
        return FoundUses([one for one in found if one.steps], len(revisions) <= most)


def _searches(one: Json, name: str, *, named: bool = False) -> bool:
    if not isinstance(one, dict) or one.get("name") != "sanctions":
        return False
    given = one.get("with")
    lists = given.get("lists") if isinstance(given, dict) else None
    return name in lists if isinstance(lists, list) else not named


def _steps(stored: StoredRevision, uses: Callable[[Json], bool]) -> list[str]:
    return list(dict.fromkeys(_walk(read_source(stored.text).value, uses, "")))


def _walk(value: Json, uses: Callable[[Json], bool], step: str) -> Iterator[str]:
    """The ids of the steps that something stands in; empty outside of all."""
    if uses(value):
        yield step
    if isinstance(value, dict):
        inside = value.get("id")
        step = inside if isinstance(inside, str) else step
        for part in value.values():
            yield from _walk(part, uses, step)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, uses, step)
