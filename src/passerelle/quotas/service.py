"""Whether a workspace may have more, or do more.

What is used is counted when it is first asked for, and then remembered for a few seconds with what this process adds;
a refusal is told only after counting anew. So a quota may be passed by what other processes add in those seconds, and
nothing that is written costs another statement.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from passerelle.kit.connections import NO_WORKSPACE
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.memory import Memory, Remembered, Timer
from passerelle.kit.metrics import counter
from passerelle.kit.rates import Limit, Rates, Tally
from passerelle.kit.sizes import format_size
from passerelle.quotas import repository
from passerelle.quotas.errors import CODES
from passerelle.quotas.models import QUOTAS, OwnTerms, Quota, Quotas

COUNTED_FOR: Final[Mapping[Quota, float]] = {"executions": 2.0, "records": 30.0, "storage": 30.0}
"""Seconds for which a count is remembered: those that take long are taken less often."""
COUNTED_AGAIN: Final = 1.0
"""Seconds between two counts on which refusals rest."""
NEARLY: Final = 0.9
"""The part of a quota from which on it counts as nearly full in the metrics."""
_MINUTE: Final = timedelta(minutes=1)
_WAIT: Final = "10"
"""Seconds after which executions may have ended."""
_SIZE: Final = 10_000
_refusals: Final = counter("quota_refusals", "What this process has refused because of a quota", "quota")


@dataclass(slots=True)
class _Used:
    count: int
    counted_at: float
    most: int


class WorkspaceQuotas:
    """The quotas of every workspace. `defaults`: what holds where nothing else was said of one."""

    def __init__(
        self, database: Database, defaults: Quotas, rates: Rates, memory: Memory, timer: Timer = time.monotonic
    ) -> None:
        self._database = database
        self._defaults = defaults
        self._rates = rates
        self._timer = timer
        self._terms: Remembered[UUID, OwnTerms] = memory.of(
            ("workspace_quota",), lambda workspace_id, _: workspace_id, size=_SIZE
        )
        self._used: dict[Quota, Remembered[UUID, _Used]] = {
            quota: memory.of((), lambda workspace_id, _: workspace_id, size=_SIZE, age=age)
            for quota, age in COUNTED_FOR.items()
        }

    async def of(self, workspace_id: UUID, connection: Connection | None = None) -> Quotas:
        """What holds for a workspace. `connection`: one of that workspace, if it is held already."""
        terms = self._terms.find(workspace_id) or await self._read(workspace_id, connection)
        return self._defaults.with_own(terms.quotas) if terms.quotas else self._defaults

    async def require(
        self, workspace_id: UUID, quota: Quota, more: int = 1, connection: Connection | None = None
    ) -> None:
        """Take so many more. Raises EXECUTIONS_QUOTA_REACHED, RECORDS_QUOTA_REACHED or STORAGE_QUOTA_REACHED."""
        most = (await self.of(workspace_id, connection)).of(quota)
        if most is None:
            return
        used = self._used[quota].find(workspace_id)
        if used is None or (used.count + more > most and self._timer() - used.counted_at >= COUNTED_AGAIN):
            used = await self._count(workspace_id, quota, connection)
        used.most = most
        if used.count + more > most:
            raise self._refusal(quota, most)
        used.count += more

    async def require_execution(self, workspace_id: UUID) -> None:
        """Start one more. Raises EXECUTIONS_QUOTA_REACHED."""
        await self.require(workspace_id, "executions")

    async def admit(self, workspace_id: UUID) -> Tally | None:
        """One more request; where the quota stands, None where there is none. Raises REQUESTS_QUOTA_REACHED."""
        if workspace_id == NO_WORKSPACE:
            return None
        most = (await self.of(workspace_id)).requests
        if most is None:
            return None
        tally = await self._rates.hit(Limit("requests", most, _MINUTE), str(workspace_id))
        if tally.full:
            raise self._refusal("requests", most, {"Retry-After": str(tally.seconds)})
        return tally

    async def standing(self, workspace_id: UUID) -> dict[Quota, tuple[int, int | None]]:
        """What is used of each quota, counted now, and the most."""
        async with self._database.workspace(workspace_id) as connection:
            own = await repository.find(connection, workspace_id)
            counted = {quota: await repository.used(connection, workspace_id, quota) for quota in COUNTED_FOR}
        quotas = self._defaults.with_own(own.quotas)
        requests = self._rates.look(Limit("requests", quotas.requests or 0, _MINUTE), str(workspace_id)).used
        return {quota: (counted.get(quota, requests), quotas.of(quota)) for quota in QUOTAS}

    async def own(self, workspace_id: UUID) -> OwnTerms:
        """What was said of a workspace alone."""
        async with self._database.workspace(workspace_id) as connection:
            return await repository.find(connection, workspace_id)

    async def change(self, workspace_id: UUID, terms: OwnTerms) -> bool:
        """Say it of a workspace. False where there is none with this id."""
        async with self._database.transaction(workspace_id) as connection:
            known = await repository.write(connection, workspace_id, terms)
        self._terms.forget(workspace_id)
        return known

    def nearly_full(self) -> Counter[Quota]:
        """How many workspaces that this process has counted lately have used most of a quota."""
        return Counter(
            {
                quota: sum(used.count >= NEARLY * used.most > 0 for used in remembered.values())
                for quota, remembered in self._used.items()
            }
        )

    async def _read(self, workspace_id: UUID, connection: Connection | None) -> OwnTerms:
        async def read() -> OwnTerms:
            async with self._database.joined(connection, workspace_id) as held:
                return await repository.find(held, workspace_id)

        return await self._terms.read(workspace_id, read)

    async def _count(self, workspace_id: UUID, quota: Quota, connection: Connection | None) -> _Used:
        async def read() -> _Used:
            async with self._database.joined(connection, workspace_id) as held:
                return _Used(await repository.used(held, workspace_id, quota), self._timer(), 0)

        return await self._used[quota].read(workspace_id, read)

    def _refusal(self, quota: Quota, most: int, headers: Mapping[str, str] | None = None) -> PasserelleError:
        _refusals.labels(quota).inc()
        shown = format_size(most) if quota == "storage" else f"{most:,}"
        said = {
            "executions": f"the workspace may have {shown} executions that have not ended: wait until some have",
            "records": f"the workspace may have {shown} records: delete some first",
            "storage": f"the workspace's files may take {shown}: delete some first",
            "requests": f"the workspace may send {shown} requests in a minute: wait for the next",
        }[quota]
        waiting = {"Retry-After": _WAIT} if quota == "executions" else {}
        return CODES[quota].error(
            f"{said}, or ask whoever runs this server for a higher quota", headers=headers or waiting
        )
