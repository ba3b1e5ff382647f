"""What a workspace says of how long it keeps what, and what that would remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.app.settings import Settings
from passerelle.holds.models import HeldObjects
from passerelle.holds.service import held_now
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database, take_turn
from passerelle.kit.durations import format_duration, parse_duration
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.permissions import require_fresh
from passerelle.kit.ids import NewId
from passerelle.resources.files import Files
from passerelle.retention import repository
from passerelle.retention.archives import Archives
from passerelle.retention.errors import RETENTION_INVALID
from passerelle.retention.kinds import LEAST, MOST, Kept, Rule, kept, usual
from passerelle.retention.removing import WALKS, Removal

EVER: Final = "ever"
COUNTED: Final = 20_000
"""How many of each kind are looked at to say what would go; what is beyond is told as `more`."""
_AT_ONCE: Final = 2_000

Rules = Mapping[str, Rule]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a workspace is to say. `keep`: a time or `ever`, by kind; `archive`: what is written to the store before."""

    keep: Mapping[str, str]
    archive: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WouldGo:
    """What is over of a kind. `held`: what a legal hold keeps of it; `more`: whether not all was counted."""

    kind: str
    lasts: timedelta | None
    removed: int
    held: int
    more: bool


class Retention:
    """The feature's service."""

    def __init__(self, database: Database, settings: Settings, files: Files, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self.archives = Archives(database, files, clock, new_id)
        self.removal = Removal(database, self.archives, clock, {one.kind: one.lasts for one in usual(settings)})

    async def kept(self, workspace_id: UUID) -> list[Kept]:
        """How long everything of a workspace is kept."""
        async with self._database.workspace(workspace_id) as connection:
            return kept(self._settings, await repository.rules(connection, workspace_id))

    async def change(self, workspace_id: UUID, wanted: Wanted, by: Principal | None = None) -> list[Kept]:
        """Say how long kinds are kept; those that are not named, as the installation says. `by` None: the operator.

        To keep anything for a shorter time takes a person who has just proved who they are.
        Raises RETENTION_INVALID with all that is wrong, STEP_UP_REQUIRED.
        """
        async with self._database.transaction(workspace_id) as connection:
            await take_turn(connection, f"retention {workspace_id}")
            before = await repository.rules(connection, workspace_id)
            after = _rules(wanted)
            if by is not None and self._is_shorter(before, after):
                require_fresh(by)
            await repository.write_rules(connection, workspace_id, after, self._clock())
        return kept(self._settings, after)

    async def preview(self, workspace_id: UUID, wanted: Wanted) -> list[WouldGo]:
        """What would be removed next, if that were said. Raises RETENTION_INVALID."""
        async with self._database.workspace(workspace_id) as connection:
            rules = _rules(wanted)
            held = await held_now(connection, workspace_id)
            return [
                await self._would_go(connection, workspace_id, one, held)
                for one in kept(self._settings, rules)
                if one.kind in LEAST
            ]

    async def _would_go(self, connection: Connection, workspace_id: UUID, one: Kept, held: HeldObjects) -> WouldGo:
        if one.lasts is None:
            return WouldGo(one.kind, None, 0, 0, more=False)
        before = self._clock() - one.lasts
        if one.kind == "audit":
            over = await repository.audit_over(connection, workspace_id, before, COUNTED + 1)
            stays = held.everything or bool(held.ids)
            counts = (0, min(over, COUNTED)) if stays else (min(over, COUNTED), 0)
            return WouldGo(one.kind, one.lasts, *counts, more=over > COUNTED)
        return await self._counted(connection, workspace_id, one, before, held)

    async def _counted(
        self, connection: Connection, workspace_id: UUID, one: Kept, before: datetime, held: HeldObjects
    ) -> WouldGo:
        place, seen, over, stays = None, 0, 0, 0
        while seen < COUNTED:
            batch = await WALKS[one.kind].page(connection, workspace_id, before, place, _AT_ONCE)
            seen += batch.seen
            over += len(batch.over)
            stays += sum(held.keep(*found.about) for found in batch.over)
            place = batch.last
            if place is None:
                break
        return WouldGo(one.kind, one.lasts, over - stays, stays, more=place is not None)

    def _is_shorter(self, before: Rules, after: Rules) -> bool:
        old, new = ({one.kind: one.lasts for one in kept(self._settings, rules)} for rules in (before, after))
        return any((lasts := new[kind]) is not None and ((was := old[kind]) is None or lasts < was) for kind in LEAST)


def _rules(wanted: Wanted) -> dict[str, Rule]:
    """The rules that are spelled so. Raises RETENTION_INVALID with all that is wrong."""
    rules: dict[str, Rule] = {}
    problems: list[Problem] = [
        RETENTION_INVALID.problem(f"say how long `{kind}` are kept, too: else nothing is archived", f"/archive/{place}")
        for place, kind in enumerate(wanted.archive)
        if wanted.keep.get(kind, EVER) == EVER
    ]
    for kind, text in wanted.keep.items():
        try:
            rules[kind] = Rule(None if text == EVER else _length(kind, text), kind in wanted.archive)
        except ValueError as error:
            problems.append(RETENTION_INVALID.problem(str(error), f"/{kind}"))
    if problems:
        raise PasserelleError(RETENTION_INVALID.status, problems)
    return rules


def _length(kind: str, text: str) -> timedelta:
    length, least = parse_duration(text), LEAST[kind]  # type: ignore[index] # the bodies name no other kind
    if not least <= length <= MOST:
        raise ValueError(
            f"`{kind}` can be kept for {format_duration(least)} to {format_duration(MOST)}, or for `{EVER}`; not "
            f"for {text}"
        )
    return length
