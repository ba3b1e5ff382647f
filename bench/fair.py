"""A flood of one workspace: how long another's run takes to start, and to end, meanwhile."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from bench.harness import PASSERELLE, Passerelle, percentile, running

FLOOD = 10_000
STARTED = 300
AT_ONCE = 32

SLOW = """
name: slow
steps:
  - {id: pause, wait: {for: 1s}}
  - {id: one, set: {x: 1}}
  - {id: again, wait: {for: 1s}}
  - {id: two, set: {x: "${steps.one.x + 1}"}}
"""
CALM = """
name: calm
steps:
  - {id: pause, wait: {for: 1s}}
  - {id: one, set: {x: 1}}
"""


async def flood(report: Any) -> None:
    """Another workspace's run starts, and goes on by the queue, in the middle of 10,000 of one workspace."""
    with running() as passerelle:
        slow = passerelle.push(SLOW)
        token = _other_token(passerelle)
        headers = {**passerelle.headers, "Authorization": f"Bearer {token}"}
        pushed = httpx.post(
            f"{passerelle.url}/definitions", content=CALM, headers={**headers, "Content-Type": "application/yaml"}
        )
        calm = pushed.json()["id"]
        async with httpx.AsyncClient(base_url=passerelle.url, headers=headers, timeout=60) as other:
            alone = await _late(other, calm)
            with _flooding(passerelle, slow):
                await asyncio.sleep(3)
                starts, late = await _starts(other, calm), await _late(other, calm)
        report.line(
            f"a flood of {FLOOD:,} beside",
            start_p50_ms=round(percentile(starts, 0.5), 1),
            start_p99_ms=round(percentile(starts, 0.99), 1),
            queue_alone_ms=round(percentile(alone, 0.5), 1),
            queue_p50_ms=round(percentile(late, 0.5), 1),
            queue_max_ms=round(max(late), 1),
        )


@contextmanager
def _flooding(passerelle: Passerelle, definition: str) -> Iterator[None]:
    """In a process of its own: its answers are not read by the loop that takes the other's times."""
    flooding = multiprocessing.get_context("spawn").Process(
        target=_flood, args=(passerelle.url, dict(passerelle.headers), definition)
    )
    flooding.start()
    try:
        yield
    finally:
        flooding.terminate()
        flooding.join()


def _flood(url: str, headers: dict[str, str], definition: str) -> None:
    async def start(client: httpx.AsyncClient, gate: asyncio.Semaphore) -> None:
        async with gate:
            await client.post("/workflows", json={"workflowDefinitionId": definition})

    async def all_at_once() -> None:
        limits = httpx.Limits(max_connections=AT_ONCE)
        gate = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=60) as client:
            await asyncio.gather(*(start(client, gate) for _ in range(FLOOD)))

    asyncio.run(all_at_once())


async def _starts(client: httpx.AsyncClient, definition: str) -> list[float]:
    """Milliseconds until a start is answered."""
    took = []
    for _ in range(STARTED):
        began = time.perf_counter()
        (await client.post("/workflows", json={"workflowDefinitionId": definition})).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def _late(client: httpx.AsyncClient, definition: str) -> list[float]:
    """Milliseconds from the moment at which a pause is over to the end of the run, which a worker makes."""
    took = []
    for _ in range(10):
        began = time.perf_counter()
        answer = await client.post("/workflows/run", json={"workflowDefinitionId": definition})
        workflow = answer.json()
        while workflow["status"] != "COMPLETED":
            await asyncio.sleep(0.02)
            workflow = (await client.get(f"/workflows/{workflow['id']}")).json()
        took.append((time.perf_counter() - began - 1) * 1000)
    return took


def _other_token(passerelle: Passerelle) -> str:
    def told(*words: str) -> str:
        command = [str(PASSERELLE), *words, "--data-dir", str(passerelle.data_dir)]
        said: str = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return said

    workspace = re.search(r"[0-9a-f-]{36}", told("workspace", "create", "other"))
    assert workspace is not None
    return str(json.loads(told("key", "create", workspace.group(), "--token"))["organizationToken"])
