"""Moving executions under way to another revision of their definition, and back, while others start and go on."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any
from uuid import UUID

import httpx

from bench.harness import Passerelle, database, percentile, running
from bench.resting import copy_execution

EXECUTIONS = int(os.environ.get("BENCH_MOVES", "50000"))
PAUSE = 0.05
"""Seconds between two requests of the client beside it."""
BEFORE = """
name: order
steps:
  - {id: paid, event: {name: paid}}
  - {id: done, set: {amount: "${steps.paid.amount}"}}
"""
AFTER = """
name: order
steps:
  - {id: payment, event: {name: paid}}
  - {id: thanks, set: {amount: "${steps.payment.amount}", currency: EUR}}
"""


async def moving(report: Any) -> None:
    """A move that renames the step at which all of them rest; then its undo. What one client beside it waits for."""
    with running() as passerelle:
        definition = passerelle.push(BEFORE)
        async with httpx.AsyncClient(base_url=passerelle.url, headers=passerelle.headers, timeout=60) as client:
            first = (await client.post("/workflows", json={"workflowDefinitionId": definition})).json()["id"]
            await copy_execution(passerelle, UUID(first), EXECUTIONS - 1)
            async with database(passerelle.data_dir) as connection:
                await connection.execute("VACUUM ANALYZE execution")
            passerelle.push(AFTER)
            wish = {"from": 1, "to": 2, "mapping": {"paid": "payment", "done": "thanks"}}
            where = f"/definitions/{definition}/migrations"
            await _line(report, "dry run", passerelle, client, where, {**wish, "dryRun": True})
            moved = await _line(report, "move", passerelle, client, where, wish)
            assert moved["moved"] >= EXECUTIONS, moved
            undone = await _line(report, "undo", passerelle, client, f"{where}/{moved['id']}/undo", {})
            assert undone["undone"] == moved["moved"], undone


async def _line(
    report: Any, name: str, passerelle: Passerelle, client: httpx.AsyncClient, where: str, body: Any
) -> Any:
    """Ask for it, and look until it is done; the answer at the end."""
    began, before, took = time.perf_counter(), passerelle.memory(), list[float]()
    asked = asyncio.create_task(client.post(where, json=body))
    definition = where.split("/")[2]
    while not asked.done():
        took.append(await _run_one(client, definition))
        await asyncio.sleep(PAUSE)
    found = (await asked).raise_for_status().json()
    while found["status"] in ("RUNNING", "UNDOING"):
        took.append(await _run_one(client, definition))
        await asyncio.sleep(PAUSE)
        found = (await client.get(f"/definitions/{definition}/migrations/{found['id']}")).raise_for_status().json()
    seconds = time.perf_counter() - began
    report.line(
        f"{name} of {EXECUTIONS:,} executions",
        seconds=round(seconds, 1),
        per_second=round(EXECUTIONS / seconds),
        memory_growth_mb=round((passerelle.memory() - before) / 1e6, 1),
        beside_p50_ms=round(percentile(took, 0.5), 1),
        beside_p99_ms=round(percentile(took, 0.99), 1),
    )
    return found


async def _run_one(client: httpx.AsyncClient, definition: str) -> float:
    """Start an execution of the newest revision and let it end; milliseconds for both requests."""
    began = time.perf_counter()
    started = (await client.post("/workflows", json={"workflowDefinitionId": definition})).raise_for_status().json()
    event = await client.post(f"/workflows/{started['id']}/events/paid", json={"amount": 5})
    assert event.json()["status"] == "COMPLETED", event.text
    return (time.perf_counter() - began) * 1000
