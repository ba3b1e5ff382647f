"""The corpus of hostile texts: how long a neighbour waits meanwhile, and what the server takes."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import httpx
from tests.acceptance.running import Dev, start_dev
from tests.hostile.corpus import corpus
from tests.hostile.running import Neighbour, held_up, limited, neighbour_of, peak_memory, send

from bench.harness import percentile


async def hostile(report: Any) -> None:
    """A neighbour alone, then beside every text of the corpus."""
    await asyncio.to_thread(_measured, report)


def _measured(report: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="passerelle-bench-") as folder:
        Path(folder).chmod(0o711)
        server = limited(start_dev(Path(folder) / "data"))
        try:
            _beside(report, server)
        finally:
            server.stop()


def _beside(report: Any, server: Dev) -> None:
    with server.api() as client, neighbour_of(server) as neighbour:
        client.timeout = httpx.Timeout(90)
        _until(neighbour, 500)
        alone, before = list(neighbour.waits), held_up(client)
        texts = corpus()
        for text in texts:
            send(client, text)
        beside, held = neighbour.waits[len(alone) :], held_up(client)
    report.line(
        f"{len(texts)} hostile texts beside",
        alone_p99_ms=round(percentile(alone, 0.99) * 1000, 1),
        p50_ms=round(percentile(beside, 0.5) * 1000, 1),
        p99_ms=round(percentile(beside, 0.99) * 1000, 1),
        max_ms=round(max(beside) * 1000, 1),
        held_over_100_ms=(held[0.0] - held[0.1]) - (before[0.0] - before[0.1]),
        peak_memory_mb=round(peak_memory(server) / 1e6),
    )


def _until(neighbour: Neighbour, requests: int) -> None:
    while len(neighbour.waits) < requests:
        neighbour._stop.wait(0.1)
