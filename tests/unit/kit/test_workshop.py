"""Work in a process of its own ends, or is killed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from passerelle.kit.workshop import WorkKilledError, Workshop


@pytest.fixture(name="workshop", scope="module")
def _workshop() -> Iterator[Workshop]:
    workshop = Workshop(seconds=3.0, memory=300_000_000)
    yield workshop
    workshop.close()


def whose(number: int) -> tuple[int, int]:
    return number, os.getpid()


def endless() -> None:
    while True:
        pass


def waiting() -> str:
    threading.Event().wait(1.5)
    return "done"


def hungry() -> int:
    return len([bytearray(10_000_000) for _ in range(100)])


def refusing() -> None:
    raise ValueError("no")


async def test_it_is_done_in_another_process(workshop: Workshop) -> None:
    number, process = await workshop.run("a", whose, 3)
    assert number == 3
    assert process != os.getpid()


async def test_what_takes_too_long_is_killed_and_the_next_is_done(workshop: Workshop) -> None:
    started = time.monotonic()
    with pytest.raises(WorkKilledError):
        await workshop.run("a", endless)
    assert time.monotonic() - started < 30
    assert (await workshop.run("a", whose, 4))[0] == 4


async def test_what_waits_for_the_processor_longer_than_it_may_use_it_is_done() -> None:
    """A busy machine refuses nobody's definition, and ends nobody's execution."""
    workshop = Workshop(seconds=1.0)
    try:
        assert await workshop.run("a", waiting) == "done"
    finally:
        workshop.close()


async def test_what_takes_too_much_memory_is_ended(workshop: Workshop) -> None:
    with pytest.raises(WorkKilledError):
        await workshop.run("a", hungry)
    assert (await workshop.run("a", whose, 5))[0] == 5


async def test_what_it_raises_is_raised(workshop: Workshop) -> None:
    with pytest.raises(ValueError, match="no"):
        await workshop.run("a", refusing)
