"""Loading lists and searching them. An index is built in memory when a list is first searched, and kept."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import UUID

from passerelle.engine.screening import Hit, ListVersion, Screened
from passerelle.kit.clock import Clock
from passerelle.kit.errors import Code, PasserelleError
from passerelle.lists.repository import ListRepository

if TYPE_CHECKING:
    from passerelle.lists.files import BrokenFile
    from passerelle.lists.searching import SearchableList

LIST_BROKEN: Final = Code(
    "LIST_BROKEN", 400, "The list's file has broken lines; each entry names one. Nothing of it was loaded."
)
LIST_NAME_INVALID: Final = Code(
    "LIST_NAME_INVALID", 400, "A list's name has small letters, digits, `.`, `_` and `-`, at most 64."
)
LIST_NOT_FOUND: Final = Code(
    "LIST_NOT_FOUND", 404, "This workspace has no list of that name, or not that version of it."
)

LIST_USED: Final = Code("LIST_USED", 409, "A definition names the list. Publish one that does not, and try again.")

LARGEST: Final = 200_000_000
"""Bytes of a file."""
MOST_PROBLEMS: Final = 100
"""Broken lines that one answer names; it says how many more there are."""
KEPT_INDEXES: Final = 8
"""Lists in memory; one of 100,000 names takes some 100 MB."""

_NAME: Final = re.compile("[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class ListLoad:
    """What a load did: the list's newest version, and whether it is a new one."""

    version: ListVersion
    new: bool


class ListService:
    """The lists of every workspace. Implements `passerelle.engine.screening.NameLists`."""

    def __init__(self, repository: ListRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._kept: OrderedDict[str, asyncio.Task[SearchableList]] = OrderedDict()

    async def load(self, workspace_id: UUID, name: str, content: bytes, by: str) -> ListLoad:
        """Make a file the newest version of a list. The same file again changes nothing.

        Raises LIST_NAME_INVALID, or LIST_BROKEN with the lines that are broken: then nothing is loaded.
        """
        if not _NAME.fullmatch(name):
            raise LIST_NAME_INVALID.error(f"`{name}` is no name of a list: use small letters, digits, `.`, `_` and `-`")
        entries = await asyncio.to_thread(_checked, content)
        packed = await asyncio.to_thread(gzip.compress, content, 6)
        digest = sha256(content).hexdigest()
        version, new = await self._repository.add(
            workspace_id, name, packed, sha256=digest, entries=entries, at=self._clock(), by=by
        )
        return ListLoad(version, new)

    async def delete(self, workspace_id: UUID, name: str) -> None:
        """Remove a list with all its versions. Raises LIST_NOT_FOUND; whether it is used, the caller asks before."""
        if not await self._repository.remove(workspace_id, name):
            raise _not_found(f"this workspace has no list `{name}`: GET /lists shows those that it has")

    async def page(self, workspace_id: UUID, after: str | None, limit: int) -> list[ListVersion]:
        """The newest version of each list, by name, after the name `after`."""
        return await self._repository.page(workspace_id, after, limit)

    async def versions(self, workspace_id: UUID, name: str, before: int | None, limit: int) -> list[ListVersion]:
        """A list's versions, newest first, before the version `before`. Raises LIST_NOT_FOUND."""
        found = await self._repository.versions(workspace_id, name, before, limit)
        if not found and before is None:
            raise _not_found(f"this workspace has no list `{name}`: GET /lists shows those that it has")
        return found

    async def file(self, workspace_id: UUID, name: str, version: int) -> bytes:
        """The file of a version, as it was loaded. Raises LIST_NOT_FOUND."""
        packed = await self._repository.content(workspace_id, name, version)
        if packed is None:
            raise _not_found(f"there is no version {version} of a list `{name}`: see GET /lists/{name}/versions")
        return await asyncio.to_thread(gzip.decompress, packed)

    async def search(self, workspace_id: UUID, name: str, lists: Sequence[str] | None, threshold: int) -> Screened:
        """See `passerelle.engine.screening.NameLists`: the newest version of each list is searched."""
        versions = await self._repository.newest(workspace_id, lists)
        hits: list[Hit] = []
        gone: set[str] = set()
        for version in versions:
            try:
                searchable = await self._searchable(workspace_id, version)
            except PasserelleError:
                # It was deleted meanwhile, here or by another workspace whose equal file was being built.
                if await self._repository.content(workspace_id, version.name, version.version) is None:
                    gone.add(version.name)
                    continue
                searchable = await self._searchable(workspace_id, version)
            hits += await asyncio.to_thread(searchable.search, version, name, threshold)
        hits.sort(key=lambda hit: -hit.score)
        searched = tuple(version for version in versions if version.name not in gone)
        there = {version.name for version in searched}
        missing = tuple(wanted for wanted in lists or () if wanted not in there)
        return Screened(tuple(hits), searched, missing)

    async def _searchable(self, workspace_id: UUID, version: ListVersion) -> SearchableList:
        """The list in memory. Equal files are kept once, and built once however many ask at the same time."""
        building = self._kept.get(version.sha256)
        if building is None or (building.done() and (building.cancelled() or building.exception())):
            building = asyncio.create_task(self._build(workspace_id, version))
            self._kept[version.sha256] = building
        self._kept.move_to_end(version.sha256)
        while len(self._kept) > KEPT_INDEXES:
            self._kept.popitem(last=False)
        # A step that runs out of time does not stop the work that others wait for.
        return await asyncio.shield(building)

    async def _build(self, workspace_id: UUID, version: ListVersion) -> SearchableList:
        content = await self.file(workspace_id, version.name, version.version)
        return await asyncio.to_thread(_searchable_list, content)


# numpy and rapidfuzz take a third of a second to load: only what searches waits for them.
def _searchable_list(content: bytes) -> SearchableList:
    from passerelle.lists.searching import SearchableList  # noqa: PLC0415

    return SearchableList(content)


def _checked(content: bytes) -> int:
    """How many entries a file has. Raises LIST_BROKEN."""
    from passerelle.lists.files import BrokenFile, read_entries  # noqa: PLC0415 - as above

    try:
        return len(read_entries(content))
    except BrokenFile as broken:
        raise _broken(broken) from None


def _broken(broken: BrokenFile) -> PasserelleError:
    problems = [LIST_BROKEN.problem(str(problem)) for problem in broken.problems[:MOST_PROBLEMS]]
    if more := len(broken.problems) - len(problems):
        problems.append(LIST_BROKEN.problem(f"and {more:,} more"))
    return PasserelleError(LIST_BROKEN.status, problems)


def _not_found(message: str) -> PasserelleError:
    return LIST_NOT_FOUND.error(message)
