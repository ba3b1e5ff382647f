"""What a process remembers has an end: by word of a change, by age, and by number."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from passerelle.kit.memory import AGE, Memory, Remembered

MINE, THEIRS = UUID(int=1), UUID(int=2)


class Rows:
    """What is in the database, and a timer that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.value = "old"
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.memory = Memory(lambda: self.seconds)
        self.remembered: Remembered[UUID, str] = self.memory.of(("theme", "workspace"), lambda key, _: key, size=2)

    async def read(self) -> str:
        self.reads += 1
        found = self.value
        await self.gate.wait()
        return found

    async def get(self, workspace_id: UUID = MINE) -> str:
        return await self.remembered.get(workspace_id, self.read)


async def test_a_value_is_read_again_after_a_few_seconds_though_nobody_said_a_word() -> None:
    rows = Rows()
    assert [await rows.get(), await rows.get()] == ["old", "old"]
    rows.value = "new"
    rows.seconds += AGE - 0.1
    assert (await rows.get(), rows.reads) == ("old", 1)
    rows.seconds += 0.1
    assert (await rows.get(), rows.reads) == ("new", 2)


@pytest.mark.parametrize("topic", ["theme", "workspace"])
async def test_word_of_a_change_forgets_what_the_workspace_had_and_nothing_else(topic: str) -> None:
    rows = Rows()
    await rows.get()
    await rows.get(THEIRS)
    rows.value = "new"
    rows.memory.hear(f"{topic} {MINE}")
    rows.memory.hear(f"something-else {THEIRS}")
    assert (await rows.get(), await rows.get(THEIRS)) == ("new", "old")


async def test_whatever_may_have_been_missed_is_read_again() -> None:
    rows = Rows()
    await rows.get()
    rows.value = "new"
    rows.memory.forget_all()
    assert await rows.get() == "new"


async def test_a_read_that_a_change_overtakes_is_not_kept() -> None:
    """The read begins before the change and ends after it: what it found is old."""
    rows = Rows()
    rows.gate.clear()
    reading = asyncio.create_task(rows.get())
    await asyncio.sleep(0)
    rows.value = "new"
    rows.memory.hear(f"theme {MINE}")
    rows.gate.set()
    assert await reading == "old"
    assert await rows.get() == "new"


async def test_no_more_values_are_kept_than_there_is_room_for() -> None:
    rows = Rows()
    for number in range(10):
        await rows.get(UUID(int=number))
    assert rows.remembered.find(UUID(int=9)) == rows.remembered.find(UUID(int=8)) == "old"
    assert rows.remembered.find(UUID(int=7)) is None


async def test_nothing_is_kept_of_a_read_that_fails() -> None:
    rows = Rows()

    async def fail() -> str:
        raise LookupError("there is none")

    with pytest.raises(LookupError):
        await rows.remembered.get(MINE, fail)
    assert await rows.get() == "old"
