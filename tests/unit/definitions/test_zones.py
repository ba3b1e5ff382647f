"""Whose day it is: the definition's, else the workspace's, else that of UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from passerelle.definitions.revisions.service import Revisions
from passerelle.engine.model import Identity, State
from passerelle.engine.registry import load_kinds
from passerelle.engine.signals import Started
from passerelle.engine.transitions import advance

WORKSPACE, OTHER, REVISION = (UUID(int=number) for number in (1, 2, 3))
HALF_PAST_MIDNIGHT = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
TEXT = 'name: day\n{zone}steps:\n  - id: a\n    set: {{day: "${{execution.today}}", zone: "${{execution.timeZone}}"}}\n'


class Stored:
    """A repository with one revision."""

    def __init__(self, zone: str) -> None:
        text = TEXT.format(zone=f"timeZone: {zone}\n" if zone else "")
        self.stored = SimpleNamespace(id=REVISION, definition_id=REVISION, number=1, text=text)

    async def revision(self, *_: Any) -> Any:
        return self.stored

    async def published(self, *_: Any) -> Any:
        return self.stored

    named = published


@pytest.mark.parametrize(
    ("own", "workspace", "day", "zone"),
    [
        ("", WORKSPACE, "2026-07-01", "Europe/Warsaw"),
        ("", OTHER, "2026-06-30", "UTC"),
        ("America/New_York", WORKSPACE, "2026-06-30", "America/New_York"),
    ],
)
async def test_the_definitions_own_zone_comes_first_then_the_workspaces(
    own: str, workspace: UUID, day: str, zone: str
) -> None:
    zones = {WORKSPACE: ZoneInfo("Europe/Warsaw")}

    async def of(workspace_id: UUID) -> ZoneInfo | None:
        return zones.get(workspace_id)

    revisions = Revisions(Stored(own), load_kinds(), zones=of)  # type: ignore[arg-type]
    named = await revisions.named(workspace, "day")
    assert named is not None
    ways = [
        await revisions.compiled(workspace, REVISION),
        (await revisions.published(workspace, REVISION)).definition,
        (await revisions.published_now(workspace, REVISION)).definition,
        named.definition,
    ]
    for definition in ways:
        identity = Identity(REVISION, workspace, REVISION, "BACKGROUND", {}, HALF_PAST_MIDNIGHT, "API")
        state = advance(definition, State(identity, REVISION), Started(), HALF_PAST_MIDNIGHT).state
        assert state.outputs["a"] == {"day": day, "zone": zone}
    zones[OTHER] = ZoneInfo("Asia/Tokyo")
    assert (await revisions.compiled(OTHER, REVISION)).time_zone == (ZoneInfo(own) if own else ZoneInfo("Asia/Tokyo"))
