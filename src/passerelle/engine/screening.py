"""The lists of names that a workspace screens against, as checks see them.

Whoever keeps the lists implements `NameLists`; the engine knows no table and no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ListVersion:
    """One load of a list; it never changes."""

    name: str
    version: int
    """Counts up from 1."""
    entries: int
    sha256: str
    """Of the file that was loaded."""
    loaded_at: datetime
    loaded_by: str


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry with a name that is near enough."""

    list: ListVersion
    score: int
    """0 to 100; 100 is the same name."""
    name: str
    """The entry's name that is nearest, as the list writes it."""
    entry: Mapping[str, str]
    """The entry's columns that are not empty."""


@dataclass(frozen=True, slots=True)
class Screened:
    """What a search found."""

    hits: tuple[Hit, ...]
    """Best first, one for each entry."""
    lists: tuple[ListVersion, ...]
    """What was searched."""
    missing: tuple[str, ...] = ()
    """The lists that were asked for and are not there."""


class NameLists(Protocol):
    """The lists of every workspace."""

    async def search(self, workspace_id: UUID, name: str, lists: Sequence[str] | None, threshold: int) -> Screened:
        """Every entry whose name has at least `threshold`, in `lists`, in all of the workspace's where None."""


class NoLists:
    """Where there are no lists, as in scenarios."""

    async def search(self, workspace_id: UUID, name: str, lists: Sequence[str] | None, threshold: int) -> Screened:
        """Nothing is there to be searched."""
        return Screened((), (), tuple(lists or ()))


@dataclass(frozen=True, slots=True)
class WorkspaceLists:
    """The lists of one workspace: what a check is given."""

    lists: NameLists
    workspace_id: UUID

    async def search(self, name: str, lists: Sequence[str] | None, threshold: int) -> Screened:
        """See `NameLists.search`."""
        return await self.lists.search(self.workspace_id, name, lists, threshold)


NO_LISTS: Final = WorkspaceLists(NoLists(), UUID(int=0))
