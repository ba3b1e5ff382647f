"""Uses of version 1 are counted without a database, and none is lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from passerelle.kit.clock import MovedClock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.versions import VersionUse
from passerelle.kit.ids import new_id
from passerelle.kit.memory import AGE, Memory
from passerelle.v1.deprecations.models import Mode, Stored, UseKey, UseTally
from passerelle.v1.deprecations.repository import DeprecationRepository
from passerelle.v1.deprecations.service import Deprecations

WHO = Principal(new_id(), new_id(), "old shop")


class Books:
    """Stands for the database, which may be away."""

    def __init__(self) -> None:
        self.written: dict[UseKey, UseTally] = {}
        self.away = False
        self.looks = 0
        self.stored = Stored(None, None)

    async def add(self, counted: Mapping[UseKey, UseTally]) -> None:
        if self.away:
            raise OSError("the database is away")
        for place, tally in counted.items():
            self.written.setdefault(place, UseTally("", 0, 0, tally.last_used, None)).add(tally)

    async def mode(self, workspace_id: Any) -> Stored:
        self.looks += 1
        return self.stored

    async def set_mode(self, workspace_id: Any, stored: Stored, now: datetime, by: str) -> bool:
        self.stored = stored
        return True


class Desk:
    """The gate with a clock and a timer that are moved by hand."""

    def __init__(self, default: Mode = Mode.ON, brownouts: str = "tue 09:00-10:00") -> None:
        self.books = Books()
        self.clock = MovedClock(datetime(2026, 1, 5, 23, 59, tzinfo=UTC))
        self.seconds = 0.0
        self.gate = Deprecations(
            cast("DeprecationRepository", self.books), self.clock, default=default, brownouts=brownouts,
            guide="https://x.example/guide", memory=Memory(lambda: self.seconds),
        )  # fmt: skip

    async def use(self, endpoint: str = "POST /cases", agent: str | None = "shop/1") -> bool:
        return await self.gate.admit(VersionUse(WHO, endpoint, "/tables/cases/records", False, agent))

    def counts(self) -> dict[tuple[str, str], int]:
        return {(str(place.day), place.endpoint): tally.uses for place, tally in self.books.written.items()}


async def test_uses_are_added_up_by_day_and_endpoint() -> None:
    desk = Desk()
    await desk.use()
    await desk.use("GET /case/{caseId}")
    await desk.use()
    desk.clock.move(timedelta(minutes=2))
    await desk.use(agent="shop/2")
    assert desk.books.written == {}, "no request waits for a count"
    await desk.gate.write()
    await desk.gate.write()
    assert desk.counts() == {
        ("2026-01-05", "POST /cases"): 2, ("2026-01-05", "GET /case/{caseId}"): 1, ("2026-01-06", "POST /cases"): 1
    }  # fmt: skip


async def test_what_cannot_be_written_is_kept_with_what_came_meanwhile() -> None:
    desk = Desk()
    await desk.use()
    desk.books.away = True
    with pytest.raises(OSError, match="away"):
        await desk.gate.write()
    await desk.use()
    desk.books.away = False
    await desk.gate.write()
    assert desk.counts() == {("2026-01-05", "POST /cases"): 2}


async def test_the_mode_is_looked_up_once_in_a_while() -> None:
    desk = Desk()
    for _ in range(100):
        await desk.use()
    assert desk.books.looks == 1
    desk.books.stored = Stored(Mode.OFF, None)
    assert await desk.use() is False
    desk.seconds += AGE
    with pytest.raises(PasserelleError) as refused:
        await desk.use()
    assert (refused.value.status, refused.value.problems[0].code) == (410, "V1_REMOVED")


async def test_a_brownout_begins_and_ends_by_the_clock() -> None:
    desk = Desk(Mode.BROWNOUT)
    for moment, refused in (("08:59:59", False), ("09:00:00", True), ("09:59:59", True), ("10:00:00", False)):
        desk.clock.now = datetime.fromisoformat(f"2026-01-06T{moment}Z")
        if not refused:
            assert await desk.use() is True, moment
            continue
        with pytest.raises(PasserelleError) as brownout:
            await desk.use()
        assert brownout.value.problems[0].code == "V1_BROWNOUT"
        assert 0 < int(brownout.value.headers["Retry-After"]) <= 3600


async def test_a_workspace_can_be_stricter_than_the_installation_and_only_the_operator_makes_it_looser() -> None:
    desk = Desk(Mode.BROWNOUT)
    await desk.gate.set_mode(WHO.workspace_id, Mode.OFF, None, "key")
    for looser in (Mode.ON, Mode.WARN):
        with pytest.raises(PasserelleError) as refused:
            await desk.gate.set_mode(WHO.workspace_id, looser, None, "key")
        assert (refused.value.status, refused.value.problems[0].code) == (403, "V1_MODE_LOOSER")
    await desk.gate.set_mode(WHO.workspace_id, Mode.ON, None, "operator", by_operator=True)
    assert await desk.use() is False


async def test_a_long_user_agent_is_shown_as_cut() -> None:
    desk = Desk()
    await desk.use(agent="x" * 1000)
    await desk.gate.write()
    (tally,) = desk.books.written.values()
    assert tally.user_agent == "x" * 299 + "…"
