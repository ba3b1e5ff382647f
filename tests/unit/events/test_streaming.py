"""A stream of events: what it says, when it ends, and that there are not too many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import orjson
import pytest

from passerelle.events.models import Event, EventPosition
from passerelle.events.service import Events, Excerpt
from passerelle.events.streaming import Streams
from passerelle.kit.errors import PasserelleError

WORKSPACE = UUID(int=1)
CALLER = UUID(int=2)


class Prepared:
    """Stands for the events of a workspace: one excerpt after the other, then it is ending."""

    def __init__(self, *excerpts: Excerpt) -> None:
        self.left = list(excerpts)
        self.asked: list[tuple[EventPosition | None, float]] = []

    @property
    def ending(self) -> bool:
        return not self.left

    async def read(
        self, workspace_id: UUID, position: EventPosition | None, types: Sequence[str], limit: int, wait: float
    ) -> Excerpt:
        self.asked.append((position, wait))
        return self.left.pop(0)


def event(number: int) -> Event:
    position = EventPosition(number, UUID(int=number))
    return Event(WORKSPACE, UUID(int=number), "workflow.started", {}, datetime(2026, 1, 1, tzinfo=UTC), position)


async def parts(prepared: Prepared, longest: float = 300) -> list[str]:
    streams = Streams(cast("Events", prepared))
    reading = streams.read(
        WORKSPACE,
        EventPosition(7),
        (),
        shown=lambda one: {"id": one.id.int},
        cursor=lambda place: f"c{place.transaction}",
        longest=longest,
    )
    return [part.decode() async for part in reading]


async def test_it_says_at_once_where_it_begins_and_then_each_event_with_the_place_behind_it() -> None:
    prepared = Prepared(
        Excerpt([event(8), event(9)], EventPosition(9)), Excerpt([], EventPosition(12)), Excerpt([], EventPosition(12))
    )
    first, *others = await parts(prepared)
    assert "id: c7\n" in first
    assert first.endswith("\n\n")
    assert [one for one in others if one.startswith("id")] == [
        f"id: c{number}\ndata: {orjson.dumps({'id': number}).decode()}\n\n" for number in (8, 9)
    ]
    assert [position for position, _ in prepared.asked] == [EventPosition(7), EventPosition(9), EventPosition(12)]


async def test_while_nothing_happens_it_says_that_it_is_there_and_waits_no_longer_than_proxies_do() -> None:
    prepared = Prepared(Excerpt([], EventPosition(7)), Excerpt([], EventPosition(7)))
    assert (await parts(prepared))[1:] == [": here\n\n"] * 2
    assert all(wait <= 30 for _, wait in prepared.asked)


async def test_it_ends_so_that_whoever_reads_proves_again_who_they_are() -> None:
    prepared = Prepared(Excerpt([], EventPosition(7)))
    assert len(await parts(prepared, longest=0)) == 1
    assert prepared.left


@pytest.mark.parametrize(("most", "most_of_one"), [(2, 9), (9, 2)])
def test_there_are_not_too_many(most: int, most_of_one: int) -> None:
    streams = Streams(cast("Events", Prepared()), most, most_of_one)
    with streams.place(CALLER):
        streams.require_place(CALLER)
        with streams.place(CALLER), pytest.raises(PasserelleError) as refused:
            streams.require_place(CALLER)
        streams.require_place(CALLER)
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"]
