"""What holds everybody else up in a process is counted by the processor's time, and said where it is long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import Histogram
from structlog.testing import capture_logs

from passerelle.kit import loop_watch
from passerelle.kit.loop_watch import LoopWatch


def worked(*seconds: float) -> Iterator[float]:
    total = 0.0
    for each in seconds:
        total += each
        yield total


async def test_each_look_is_counted_and_a_long_one_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_watch, "EVERY", 0.0)
    looks, over = worked(0, 0.01, 0.02, 0.3, 0.7), asyncio.Event()

    def look() -> float:
        found = next(looks, None)
        if found is None:
            over.set()
            raise asyncio.CancelledError
        return found

    held = Histogram("held", "For this test alone", buckets=(0.025, 0.1, 0.5), registry=None)
    watch = LoopWatch(look, held)
    with capture_logs() as said:
        running = asyncio.create_task(watch.run())
        await over.wait()
        await asyncio.gather(running, return_exceptions=True)
    (metric,) = held.collect()
    counted = {sample.labels["le"]: sample.value for sample in metric.samples if sample.name.endswith("_bucket")}
    assert (counted["0.025"], counted["0.1"], counted["0.5"], counted["+Inf"]) == (2, 2, 3, 4)
    assert [(one["event"], one["seconds"]) for one in said] == [("loop.held", 0.7)]
