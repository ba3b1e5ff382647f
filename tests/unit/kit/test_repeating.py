"""What a process repeats beside its requests goes on, whatever it fails with."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from passerelle.kit.database import DATABASE_NOT_ISOLATED
from passerelle.kit.repeating import repeat


@pytest.mark.parametrize(
    "error", [DATABASE_NOT_ISOLATED.error("rows are not kept apart"), OSError("away"), KeyError("of a fault of ours")]
)
async def test_it_goes_on_after_an_error_and_tells_when_it_begins_and_ends(error: Exception) -> None:
    outcomes: list[Exception | None] = [None, error, error, error, None, None]
    done = asyncio.Event()

    async def work() -> None:
        outcome = outcomes.pop(0)
        if not outcomes:
            done.set()
        if outcome is not None:
            raise outcome

    with capture_logs() as logged:
        running = asyncio.create_task(repeat("leases", 0.0, work))
        async with asyncio.timeout(10):
            await done.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    told: list[Any] = [one["event"] for one in logged]
    assert told == ["repeating.fails", "repeating.works_again"]
    assert running.cancelled()
