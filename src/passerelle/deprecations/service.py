"""Counting uses of version 1, and refusing them when its time is over.

A request is counted in memory; every few seconds one statement writes down what a process has counted, and a last
one when it stops. So no request waits for a count, and a clean stop loses none.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from passerelle.deprecations.errors import BROWNOUTS_INVALID, V1_BROWNOUT, V1_MODE_LOOSER, V1_REMOVED
from passerelle.deprecations.models import Counted, Mode, Place, Policy, Stored, Tally
from passerelle.deprecations.repository import DeprecationRepository
from passerelle.errors import PasserelleError
from passerelle.kit.clock import Clock
from passerelle.kit.http.versions import DEPRECATED, Use
from passerelle.kit.timetable import end_of_present, parse_timetable

WRITTEN_EVERY: Final = 5.0
"""Seconds between two writings of what was counted."""
KEPT_SECONDS: Final = 5.0
"""How long another process may go by the mode from before a change."""
KEPT_DAYS: Final = timedelta(days=400)
"""How long counts are kept: a year can be compared with the one before."""
LONGEST_AGENT: Final = 300

_MOST_KEPT: Final = 10_000

log = structlog.get_logger("passerelle.deprecations")


class Deprecations:
    """The gate that every use of version 1 passes (`passerelle.kit.http.versions.VersionGate`), and its books.

    `default` and `brownouts` are the installation's; `guide` is the address that refusals name. `timer` counts
    seconds; tests move it by hand.
    """

    def __init__(
        self,
        repository: DeprecationRepository,
        clock: Clock,
        *,
        default: Mode,
        brownouts: str,
        guide: str,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._default = default
        self._brownouts = brownouts
        self.guide = guide
        self._timer = timer
        self._kept: dict[UUID, _Kept] = {}
        self._counted: dict[Place, Tally] = {}
        self._warned: set[Place] = set()
        self._writing = asyncio.Lock()

    async def admit(self, use: Use) -> bool:
        """Count a use. Whether its answer is to carry a warning. Raises V1_BROWNOUT or V1_REMOVED."""
        policy, now = await self._policy(use.principal.workspace_id), self._clock()
        refusal = self._refusal(use, policy, now)
        place = self._count(use, now, refused=refusal is not None)
        if refusal is not None:
            raise refusal
        if policy.mode is Mode.ON:
            return False
        self._warn(use, place)
        return True

    async def policy(self, workspace_id: UUID) -> Policy:
        """How version 1 is treated in a workspace, read anew."""
        self._kept.pop(workspace_id, None)
        return await self._policy(workspace_id)

    async def set_mode(
        self, workspace_id: UUID, mode: Mode | None, brownouts: str | None, by: str, *, by_operator: bool = False
    ) -> bool:
        """Set a workspace's mode and times; None follows the installation. False where there is no such workspace.

        Raises BROWNOUTS_INVALID, and V1_MODE_LOOSER for a mode that only the operator may give.
        """
        if brownouts is not None:
            _check(brownouts)
        if mode is not None and not by_operator and mode.is_looser_than(self._default):
            raise V1_MODE_LOOSER.error(
                f"version 1 is `{self._default}` in this installation, and `{mode}` would be less strict: ask whoever "
                "runs it, who can allow it to one workspace with `passerelle workspace version-1`",
                "/mode",
            )
        done = await self._repository.set_mode(workspace_id, Stored(mode, brownouts), self._clock(), by)
        self._kept.pop(workspace_id, None)
        return done

    async def listed(self, workspace_id: UUID, since: date | None, before: Place | None, limit: int) -> list[Counted]:
        """What was counted, the latest day first; what this process has not written down yet is written first."""
        await self.write()
        return await self._repository.listed(workspace_id, since, before, limit)

    async def write(self) -> None:
        """Write down what was counted. What cannot be written is kept for the next time."""
        async with self._writing:
            counted, self._counted = self._counted, {}
            if not counted:
                return
            try:
                await self._repository.add(counted)
            except BaseException:
                for place, tally in counted.items():
                    self._add(place, tally)
                raise

    async def keep_writing(self) -> None:
        """Write down every few seconds, for as long as the process lives."""
        while True:
            await asyncio.sleep(WRITTEN_EVERY)
            try:
                await self.write()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("deprecations.unwritten", error=repr(error))

    async def forget_old(self) -> None:
        """Delete counts that nobody compares with any more."""
        await self._repository.forget((self._clock() - KEPT_DAYS).date())

    async def _policy(self, workspace_id: UUID) -> Policy:
        kept = self._kept.get(workspace_id)
        if kept is not None and self._timer() < kept.until:
            return kept.policy
        stored = await self._repository.mode(workspace_id)
        policy = Policy(
            mode=stored.mode or self._default,
            brownouts=self._brownouts if stored.brownouts is None else stored.brownouts,
            default=self._default,
            own=stored.mode is not None,
        )
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[workspace_id] = _Kept(policy, self._timer() + KEPT_SECONDS)
        return policy

    def _refusal(self, use: Use, policy: Policy, now: datetime) -> PasserelleError | None:
        if policy.mode is Mode.OFF:
            return V1_REMOVED.error(f"version 1 has ended: {_instead(use)}. {self.guide} shows every step")
        ends = end_of_present(policy.brownouts, now) if policy.mode is Mode.BROWNOUT else None
        if ends is None:
            return None
        return V1_BROWNOUT.error(
            f"version 1 is going away and is refused until {ends:%H:%M} UTC, so that you notice: {_instead(use)}. "
            f"{self.guide} shows every step",
            headers={"Retry-After": str(math.ceil((ends - now).total_seconds()))},
        )

    def _count(self, use: Use, now: datetime, *, refused: bool) -> Place:
        who = use.principal
        place = Place(now.date(), who.workspace_id, who.key_id, use.endpoint, DEPRECATED)
        self._add(place, Tally(who.name, 1, int(refused), now, _short(use.user_agent)))
        return place

    def _add(self, place: Place, tally: Tally) -> None:
        known = self._counted.get(place)
        if known is None:
            self._counted[place] = replace(tally)
        else:
            known.add(tally)

    def _warn(self, use: Use, place: Place) -> None:
        """One line of the log for each key, endpoint and day."""
        if place in self._warned:
            return
        self._warned = {one for one in self._warned if one.day == place.day} | {place}
        log.warning(
            "version 1 used",
            workspace=str(place.workspace_id),
            key=use.principal.name,
            endpoint=use.endpoint,
            user_agent=_short(use.user_agent),
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    policy: Policy
    until: float


def _check(brownouts: str) -> None:
    try:
        parse_timetable(brownouts)
    except ValueError as error:
        raise BROWNOUTS_INVALID.error(str(error), "/brownouts") from None


def _instead(use: Use) -> str:
    if use.has_next:
        return "send `Accept: application/json;version=2`, and `recordId` in place of `caseId` with the same value"
    return f"use {use.successor}, where the id of a case is the id of a record"


def _short(agent: str | None) -> str | None:
    return agent if agent is None or len(agent) <= LONGEST_AGENT else f"{agent[: LONGEST_AGENT - 1]}…"
