"""The events of a workspace, for those who fetch them instead of being called."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.events.catalogue import CATALOGUE, GROUPS
from passerelle.events.models import Event, EventPosition
from passerelle.events.repository import EventRepository, Narrowing
from passerelle.events.waiting import EventWatch
from passerelle.kit.clock import Clock, iso
from passerelle.kit.errors import Code, PasserelleError, Problem

EVENT_TYPE_UNKNOWN: Final = Code(
    "EVENT_TYPE_UNKNOWN", 400, "There is no event of this name; the message lists those that are."
)
EVENTS_EXPIRED: Final = Code(
    "EVENTS_EXPIRED",
    410,
    "Events after this position were deleted, 30 days after they were made, or numbered anew: see the message.",
)

RETENTION: Final = timedelta(days=30)
_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some events in their order, and the position to go on from."""

    events: Sequence[Event]
    position: EventPosition


class Events:
    """The feature's service."""

    def __init__(self, repository: EventRepository, clock: Clock, narrowing: Narrowing | None = None) -> None:
        """`narrowing`: leaves out what the caller of a request may not hear of."""
        self._repository = repository
        self._narrowing = narrowing
        self._watch = EventWatch(repository)
        self._clock = clock

    async def since(self, workspace_id: UUID, moment: datetime) -> EventPosition:
        """The position before the first event that was made at `moment` or later."""
        return await self._repository.before(workspace_id, moment)

    async def newest(self, workspace_id: UUID) -> EventPosition:
        """The position of the last event there is."""
        return await self._repository.newest(workspace_id)

    async def read(
        self, workspace_id: UUID, position: EventPosition | None, types: Sequence[str], limit: int, wait: float
    ) -> Excerpt:
        """The events after `position`, or the oldest ones; waits up to `wait` seconds for the first.

        Raises EVENTS_EXPIRED where retention has taken what the reader has not seen.
        """
        if position is not None:
            await self.require_kept(workspace_id, position)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        here = position or EventPosition()
        while True:
            excerpt = await self._read(workspace_id, here, types, limit)
            left = deadline - loop.time()
            if excerpt.events or left <= 0 or not await self._watch.wait(workspace_id, excerpt.position, left):
                return excerpt
            here = excerpt.position

    async def require_kept(self, workspace_id: UUID, position: EventPosition) -> None:
        """Raises EVENTS_EXPIRED where retention has taken events after `position`, or it is of another database."""
        place = await self._repository.place_of(workspace_id, position)
        if place == "kept":
            return
        if place == "unknown":
            raise EVENTS_EXPIRED.error(
                "this position is from before the database was restored: begin with `since`, a little before your last "
                "event's `createdDate`"
            )
        oldest = await self._repository.after(workspace_id, EventPosition(), (), 1)
        begins = f"the oldest one that is left is of {iso(oldest[0].created_at)}" if oldest else "none is left"
        raise EVENTS_EXPIRED.error(
            f"events after this position were deleted, because they are older than {RETENTION.days} days; {begins}: "
            "leave `after` out to begin with it, and read what you missed from the objects themselves"
        )

    def let_go(self) -> None:
        """Answer all who wait for events, with none: the process is about to end, and they ask another one."""
        self._watch.silence()

    @property
    def ending(self) -> bool:
        """Whether nobody can wait for events any more."""
        return self._watch.is_silent

    async def forget_old(self) -> int:
        """Delete what is older than its retention, of every workspace. Returns how many events."""
        total = 0
        while gone := await self._repository.forget(self._clock() - RETENTION, _BATCH):
            total += gone
        return total

    async def _read(self, workspace_id: UUID, here: EventPosition, types: Sequence[str], limit: int) -> Excerpt:
        # Read before the events are: where nothing of the wanted types is left, the reader goes on from there.
        newest = await self._repository.newest(workspace_id)
        events = await self._repository.after(workspace_id, here, types, limit, self._narrowing)
        last = events[-1].position if events else here
        return Excerpt(events, last if len(events) == limit else max(last, newest))


def known_types(names: Sequence[str], pointer: str | None = None) -> list[str]:
    """A filter's names, each once. Raises EVENT_TYPE_UNKNOWN for every one that is neither an event nor a group.

    `pointer`: where the list stands in the body, if it does.
    """
    problems: list[Problem] = [
        EVENT_TYPE_UNKNOWN.problem(
            f"there is no event `{name}`: the events are {', '.join(CATALOGUE)}, and the groups {', '.join(GROUPS)}",
            None if pointer is None else f"{pointer}/{place}",
        )
        for place, name in enumerate(names)
        if name not in CATALOGUE and name not in GROUPS
    ]
    if problems:
        raise PasserelleError(EVENT_TYPE_UNKNOWN.status, problems)
    return list(dict.fromkeys(names))


def expanded(names: Sequence[str]) -> list[str]:
    """A filter's names with each group replaced by its events."""
    return [
        kind
        for name in names
        for kind in CATALOGUE
        if kind == name or (name.endswith(".*") and kind.startswith(name[:-1]))
    ]
