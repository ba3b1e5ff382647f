"""Counting uses of version 1, and refusing them when its time is over.

A request is counted in memory; every few seconds one statement writes down what a process has counted, and a last
one when it stops. So no request waits for a count, and a clean stop loses none.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from passerelle.kit.clock import Clock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.versions import DEPRECATED, VersionUse
from passerelle.kit.memory import Memory, Remembered
from passerelle.kit.metrics import counter
from passerelle.kit.repeating import repeat
from passerelle.kit.timetable import end_of_present, parse_timetable
from passerelle.v1.deprecations.errors import BROWNOUTS_INVALID, V1_BROWNOUT, V1_MODE_LOOSER, V1_REMOVED
from passerelle.v1.deprecations.models import Counted, Mode, Policy, Stored, UseKey, UseTally
from passerelle.v1.deprecations.repository import DeprecationRepository

WRITTEN_EVERY: Final = 5.0
"""Seconds between two writings of what was counted."""
KEPT_DAYS: Final = timedelta(days=400)
"""How long counts are kept: a year can be compared with the one before."""
LONGEST_AGENT: Final = 300

_MOST_KEPT: Final = 10_000

log = structlog.get_logger("passerelle.v1.deprecations")

_uses: Final = counter("deprecated_requests", "Requests to a version that is going away", "endpoint", "version")


class Deprecations:
    """The gate that every use of version 1 passes (`passerelle.kit.http.versions.VersionGate`), and its books.

    `default` and `brownouts` are the installation's; `guide` is the address that refusals name.
    """

    def __init__(
        self,
        repository: DeprecationRepository,
        clock: Clock,
        *,
        default: Mode,
        brownouts: str,
        guide: str,
        memory: Memory | None = None,
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._default = default
        self._brownouts = brownouts
        self.guide = guide
        self._kept: Remembered[UUID, Policy] = (memory or Memory()).of(
            ("version_one",), lambda workspace_id, _: workspace_id, size=_MOST_KEPT
        )
        self._counted: dict[UseKey, UseTally] = {}
        self._warned: set[UseKey] = set()
        self._writing = asyncio.Lock()

    async def admit(self, use: VersionUse) -> bool:
        """Count a use. Whether its answer is to carry a warning. Raises V1_BROWNOUT or V1_REMOVED."""
        workspace_id, now = use.principal.workspace_id, self._clock()
        policy = await self._kept.get(workspace_id, lambda: self._policy(workspace_id))
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
        return await self._kept.read(workspace_id, lambda: self._policy(workspace_id))

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
        self._kept.forget(workspace_id)
        return done

    async def listed(self, workspace_id: UUID, since: date | None, before: UseKey | None, limit: int) -> list[Counted]:
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
        await repeat("deprecations", WRITTEN_EVERY, self.write)

    async def forget_old(self) -> None:
        """Delete counts that nobody compares with any more."""
        await self._repository.forget((self._clock() - KEPT_DAYS).date())

    async def _policy(self, workspace_id: UUID) -> Policy:
        stored = await self._repository.mode(workspace_id)
        return Policy(
            mode=stored.mode or self._default,
            brownouts=self._brownouts if stored.brownouts is None else stored.brownouts,
            default=self._default,
            own=stored.mode is not None,
        )

    def _refusal(self, use: VersionUse, policy: Policy, now: datetime) -> PasserelleError | None:
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

    def _count(self, use: VersionUse, now: datetime, *, refused: bool) -> UseKey:
        who = use.principal
        place = UseKey(now.date(), who.workspace_id, who.id, use.endpoint, DEPRECATED)
        _uses.labels(use.endpoint, DEPRECATED).inc()
        self._add(place, UseTally(who.name, 1, int(refused), now, _short(use.user_agent)))
        return place

    def _add(self, place: UseKey, tally: UseTally) -> None:
        known = self._counted.get(place)
        if known is None:
            self._counted[place] = replace(tally)
        else:
            known.add(tally)

    def _warn(self, use: VersionUse, place: UseKey) -> None:
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


def _check(brownouts: str) -> None:
    try:
        parse_timetable(brownouts)
    except ValueError as error:
        raise BROWNOUTS_INVALID.error(str(error), "/brownouts") from None


def _instead(use: VersionUse) -> str:
    if use.has_next:
        return "send `Accept: application/json;version=2`, and `recordId` in place of `caseId` with the same value"
    return f"use {use.successor}, where the id of a case is the id of a record"


def _short(agent: str | None) -> str | None:
    return agent if agent is None or len(agent) <= LONGEST_AGENT else f"{agent[: LONGEST_AGENT - 1]}…"
