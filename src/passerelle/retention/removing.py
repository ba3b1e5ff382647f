"""Removes what is over, a little at a time: each batch is one transaction, and then others have as long as it took."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from passerelle.holds.service import held_until_the_end
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.links.removing import remove_links
from passerelle.retention import repository
from passerelle.retention.archives import Archives, WrittenArchive
from passerelle.retention.kinds import Rule
from passerelle.retention.repository import Batch, Place
from passerelle.workflows.removing import remove_executions

log = structlog.get_logger("passerelle.retention")

AT_ONCE: Final = 200
"""What one transaction removes at most."""
LONGEST: Final = 45 * 60.0
"""Seconds after which a run ends; the next hour's goes on."""
LONGEST_PAUSE: Final = 1.0
TRIES: Final = 3
"""How often a batch is archived that changes meanwhile, before it is left for the next hour."""

Page = Callable[[Connection, UUID, datetime, Place | None, int], Awaitable[Batch]]
Remove = Callable[[Connection, UUID, Sequence[Place]], Awaitable[None]]
Choose = Callable[[Connection, UUID, Sequence[Place]], Awaitable[Sequence[Place]]]


async def _all(connection: Connection, workspace_id: UUID, places: Sequence[Place]) -> Sequence[Place]:
    return places


@dataclass(frozen=True, slots=True)
class Walk:
    """How one kind is looked through, which of what is over can go now, and how that is removed."""

    page: Page
    remove: Remove
    choose: Choose = _all


async def _childless(connection: Connection, workspace_id: UUID, places: Sequence[Place]) -> Sequence[Place]:
    return [(one,) for one in await repository.without_children(connection, workspace_id, [one[0] for one in places])]


async def _remove_executions(connection: Connection, workspace_id: UUID, places: Sequence[Place]) -> None:
    ids = [one[0] for one in places]
    await remove_links(connection, workspace_id, ids)
    await remove_executions(connection, workspace_id, ids)


WALKS: Final[Mapping[str, Walk]] = {
    "executions": Walk(repository.executions, _remove_executions, _childless),
    "deliveries": Walk(repository.deliveries, repository.remove_deliveries),
    "events": Walk(repository.events, repository.remove_events),
    "drafts": Walk(repository.drafts, repository.remove_drafts),
}
"""Deliveries before events, for a hold on a record finds them by what their events name."""


@dataclass(frozen=True, slots=True)
class _Task:
    """What one walk is about."""

    workspace_id: UUID
    kind: str
    before: datetime
    archive: bool

    @property
    def walk(self) -> Walk:
        return WALKS[self.kind]


class Removal:
    """The work.

    usual  how long each kind is kept where a workspace says nothing; None for good
    pause  how one waits between two batches
    """

    SCHEDULE: Final = ("retention.remove", "29 * * * *")
    """The work's name, and when it is done."""

    def __init__(
        self,
        database: Database,
        archives: Archives,
        clock: Clock,
        usual: Mapping[str, timedelta | None],
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._archives = archives
        self._clock = clock
        self._usual = usual
        self._pause = pause

    async def run(self) -> Counter[str]:
        """Remove what is over in each workspace that has a rule or a hold. Returns how much, by kind.

        What cannot be archived or removed stays until the next hour: the others' work goes on.
        """
        until = time.monotonic() + LONGEST
        gone: Counter[str] = Counter()
        rows = await self._database.ask("workspaces_with_retention")
        for workspace_id in [row["workspace_id"] for row in rows]:
            for kind in WALKS:
                try:
                    gone[kind] += await self._walk(workspace_id, kind, until)
                except Exception as error:
                    log.warning("retention.interrupted", workspace=str(workspace_id), kind=kind, reason=repr(error))
        if gone.total():
            log.info("retention.removed", **gone)
        return gone

    async def _walk(self, workspace_id: UUID, kind: str, until: float) -> int:
        rule = await self._rule(workspace_id, kind)
        if rule.keep is None:
            return 0
        task = _Task(workspace_id, kind, self._clock() - rule.keep, rule.archive)
        place, total = None, 0
        while time.monotonic() < until:
            began = time.monotonic()
            batch, gone = await (self._archived(task, place) if task.archive else self._removed(task, place))
            total += gone
            if batch.last is None:
                break
            place = batch.last
            if gone:
                await self._pause(min(time.monotonic() - began, LONGEST_PAUSE))
        return total

    async def _rule(self, workspace_id: UUID, kind: str) -> Rule:
        async with self._database.workspace(workspace_id) as connection:
            rules = await repository.rules(connection, workspace_id)
        return rules.get(kind) or Rule(self._usual[kind])

    async def _removed(self, task: _Task, place: Place | None) -> tuple[Batch, int]:
        async with self._database.transaction(task.workspace_id) as connection:
            batch, free = await self._over(connection, task, place)
            if free:
                await task.walk.remove(connection, task.workspace_id, free)
            return batch, len(free)

    async def _archived(self, task: _Task, place: Place | None) -> tuple[Batch, int]:
        """Write a batch to the store, and remove it, if nothing of it has changed meanwhile; else once more."""
        for _ in range(TRIES):
            async with self._database.transaction(task.workspace_id) as connection:
                batch, free = await self._over(connection, task, place)
            written = await self._archives.write(task.workspace_id, task.kind, free) if free else None
            if written is None:
                return batch, 0
            async with self._database.transaction(task.workspace_id) as connection:
                _, still = await self._over(connection, task, place)
                if await self._is_as_written(connection, task, written, still) and await self._archives.note(
                    connection, task.workspace_id, written
                ):
                    await task.walk.remove(connection, task.workspace_id, still)
                    return batch, len(still)
            await self._archives.drop(task.workspace_id, written.archive)
        return batch, 0

    async def _is_as_written(
        self, connection: Connection, task: _Task, written: WrittenArchive, places: Sequence[Place]
    ) -> bool:
        if {one[-1] for one in places} != set(written.stamps):
            return False
        if task.kind != "executions":
            return True
        return len(await repository.unchanged(connection, task.workspace_id, written.stamps)) == len(places)

    async def _over(self, connection: Connection, task: _Task, place: Place | None) -> tuple[Batch, Sequence[Place]]:
        """The next batch, and what of it can go: neither held, nor needed by what stays."""
        held = await held_until_the_end(connection, task.workspace_id)
        batch = await task.walk.page(connection, task.workspace_id, task.before, place, AT_ONCE)
        free = [one.place for one in batch.over if not held.keep(*one.about)]
        return batch, (await task.walk.choose(connection, task.workspace_id, free) if free else [])
