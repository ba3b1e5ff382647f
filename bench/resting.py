"""Executions that rest: what they cost, how fast one goes on, and how fast another process takes a job."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from typing import Any
from uuid import UUID

import httpx

from bench.harness import PASSERELLE, database, percentile, running
from passerelle.dev.postgres import EmbeddedPostgres

WAITING = """
name: wait-for-payment
steps:
  - id: paid
    event: {name: paid}
  - id: done
    set: {amount: "${steps.paid.amount}"}
"""

HANDED = """
name: handed-over
steps:
  - id: pause
    wait: {for: 1h}
  - id: done
    set: {ok: true}
"""

MANY = 100_000
RESUMED = 400
HANDED_OVER = 200


async def waiting(report: Any) -> None:
    """Memory with 100,000 executions at rest, and how long one takes to go on when its event comes."""
    with running() as passerelle:
        definition = passerelle.push(WAITING)
        async with httpx.AsyncClient(base_url=passerelle.url, headers=passerelle.headers) as client:
            first = (await client.post("/workflows", json={"workflowDefinitionId": definition})).json()["id"]
            before = passerelle.memory()
            await copy_execution(passerelle, UUID(first), MANY)
            after = passerelle.memory()
            async with database(passerelle.data_dir) as connection:
                await connection.execute("ANALYZE")
                ids = await connection.fetch("SELECT id FROM execution TABLESAMPLE SYSTEM (5) LIMIT $1", RESUMED)
            took = [await _resume(client, str(row["id"])) for row in ids]
        report.line(
            f"{MANY:,} executions waiting",
            memory_growth_mb=round((after - before) / 1e6, 1),
            resume_p50_ms=round(percentile(took, 0.5), 1),
            resume_p99_ms=round(percentile(took, 0.99), 1),
        )


async def _resume(client: httpx.AsyncClient, execution_id: str) -> float:
    began = time.perf_counter()
    answer = await client.post(f"/workflows/{execution_id}/events/paid", json={"amount": 5})
    took = (time.perf_counter() - began) * 1000
    assert answer.json()["status"] == "COMPLETED", answer.text
    return took


async def copy_execution(passerelle: Any, execution_id: UUID, count: int) -> None:
    """As many more executions that rest like this one."""
    async with database(passerelle.data_dir) as connection:
        columns = [
            row["attname"]
            for row in await connection.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'execution'::regclass AND attnum > 0 "
                "AND NOT attisdropped AND attname <> 'id'"
            )
        ]
        names = ", ".join(columns)
        await connection.execute(
            f"INSERT INTO execution (id, {names}) SELECT uuidv7(), {names} FROM execution, "
            f"generate_series(1, $2::int) WHERE id = $1",
            execution_id,
            count,
        )


async def hand_off(report: Any) -> None:
    """From the commit of a job in one process to the next commit in a worker of another process."""
    with running() as passerelle:
        definition = passerelle.push(HANDED)
        environment = {
            **os.environ,
            "PASSERELLE_DATABASE_URL": EmbeddedPostgres.address_of(passerelle.data_dir),
            "PASSERELLE_SECRET_KEY": (passerelle.data_dir / "secret-key").read_text(),
        }
        worker = subprocess.Popen([PASSERELLE, "worker"], env=environment, stdout=subprocess.PIPE)
        assert worker.stdout is not None
        worker.stdout.readline()
        took = []
        async with (
            httpx.AsyncClient(base_url=passerelle.url, headers=passerelle.headers) as client,
            database(passerelle.data_dir) as connection,
        ):
            for _ in range(HANDED_OVER):
                started = (await client.post("/workflows", json={"workflowDefinitionId": definition})).json()["id"]
                took.append(await _handed(connection, UUID(started)))
        worker.terminate()
        worker.wait()
        report.line(
            "job handed to a worker",
            p50_ms=round(percentile(took, 0.5), 1),
            p99_ms=round(percentile(took, 0.99), 1),
        )


async def _handed(connection: Any, execution_id: UUID) -> float:
    """Make the execution's job due now, as another process's commit would; milliseconds until it has gone on."""
    await connection.execute(
        "UPDATE execution SET state = replace(state::text, state#>>'{lanes,\"\",until}', $2)::jsonb, wake_at = now() "
        "WHERE id = $1",
        execution_id,
        "2026-01-01T00:00:00+00:00",
    )
    began = time.perf_counter()
    await connection.execute(
        "WITH job AS (INSERT INTO pgqueuer (priority, entrypoint, payload, status) "
        "SELECT 0, entrypoint, payload, 'queued' FROM pgqueuer "
        "WHERE id = (SELECT job_id FROM execution WHERE id = $1) RETURNING id) "
        "UPDATE execution SET job_id = job.id FROM job WHERE execution.id = $1",
        execution_id,
    )
    while await connection.fetchval("SELECT status FROM execution WHERE id = $1", execution_id) != "COMPLETED":
        await asyncio.sleep(0.001)
        if time.perf_counter() - began > 10:
            raise RuntimeError("no worker took the job")
    return (time.perf_counter() - began) * 1000
