"""Runs of three pure steps over HTTP, and what they are compared with."""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from bench.harness import SECONDS, Counters, Load, Passerelle, database, register, running, wrk
from passerelle.dev.postgres import EmbeddedPostgres
from passerelle.dev.postgres.programs import installation
from passerelle.kit.ids import new_id

PURE = """
name: three-pure-steps
parameters:
  amount: {type: number, required: true}
  payload: {type: string, required: true}
steps:
  - id: risk
    set: {score: "${parameters.amount < 100 ? 10 : 80}"}
  - id: route
    switch:
      - {when: "steps.risk.score >= 70", goto: decision}
      - {goto: decision}
  - id: decision
    set: {decision: "${steps.risk.score < 70 ? 'approve' : 'reject'}"}
result:
  decision: "${steps.decision.decision}"
"""

ONE_CALL = """
name: one-call
parameters:
  payload: {type: string, required: true}
steps:
  - id: call
    http: {url: "http://127.0.0.1:18099/company/7740001454"}
result: {status: "${steps.call.status}"}
"""


async def pure_runs(report: Any) -> None:
    """Completed runs a second of three pure steps with 1 KB of payload."""
    with running() as passerelle:
        definition_id = passerelle.push(PURE)
        body = {"workflowDefinitionId": definition_id, "parameters": {"amount": 70, "payload": "x" * 1000}}
        await _measure(report, "3 pure steps, 1 KB", passerelle, body)
        await _bare_loop(report, passerelle, UUID(definition_id))
        await _pgbench(report, passerelle)


async def runs_with_a_call(report: Any) -> None:
    """Completed runs a second with one `http` step to a register on this machine."""
    with register(), running(environment={"PASSERELLE_EGRESS_ALLOW": "127.0.0.1:18099"}) as passerelle:
        body = {"workflowDefinitionId": passerelle.push(ONE_CALL), "parameters": {"payload": "x" * 1000}}
        await _measure(report, "1 http step, 1 KB", passerelle, body)


async def _measure(report: Any, name: str, passerelle: Passerelle, body: dict[str, Any]) -> None:
    url = f"{passerelle.url}/workflows/run"
    await wrk(url, passerelle.headers, body, seconds=3)
    async with database(passerelle.data_dir) as connection:
        before, began = await Counters.read(connection), time.perf_counter()
        load: Load = await wrk(url, passerelle.headers, body)
        took = time.perf_counter() - began
        await asyncio.sleep(1)
        after = await Counters.read(connection)
    completed = after.completed - before.completed
    report.line(
        name,
        completed_per_second=round(completed / min(took, SECONDS + 0.2)),
        p50_ms=round(load.p50, 1),
        p99_ms=round(load.p99, 1),
        commits_per_run=round((after.commits - before.commits) / max(completed, 1), 2),
        wal_bytes_per_run=round((after.wal - before.wal) / max(completed, 1)),
        errors=load.errors,
    )


async def _bare_loop(report: Any, passerelle: Passerelle, definition_id: UUID) -> None:
    """The same rows as a pure run writes, from 32 tasks that do nothing else."""
    async with database(passerelle.data_dir) as connection:
        execution = await connection.fetchrow("SELECT * FROM execution WHERE definition_id = $1 LIMIT 1", definition_id)
        assert execution is not None
        runs = await connection.fetch(
            "SELECT * FROM step_run WHERE workspace_id = $1 AND execution_id = $2",
            execution["workspace_id"],
            execution["id"],
        )
        events = await connection.fetch("SELECT * FROM event WHERE execution_id = $1", execution["id"])
    pool = await asyncpg.create_pool(EmbeddedPostgres.address_of(passerelle.data_dir), min_size=16, max_size=16)
    count = 0
    deadline = time.perf_counter() + SECONDS

    async def write() -> None:
        nonlocal count
        while time.perf_counter() < deadline:
            execution_id = new_id()
            async with pool.acquire() as connection, connection.transaction():
                await _insert(connection, "execution", [{**execution, "id": execution_id}])
                await _insert(connection, "step_run", [{**run, "execution_id": execution_id} for run in runs])
                changed = [{**event, "id": new_id(), "execution_id": execution_id} for event in events]
                await _insert(connection, "event", changed)
            count += 1

    began = time.perf_counter()
    await asyncio.gather(*[write() for _ in range(32)])
    took = time.perf_counter() - began
    await pool.close()
    report.line("bare asyncpg loop, same rows", completed_per_second=round(count / took))


async def _insert(connection: Any, table: str, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0])
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await connection.executemany(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", [list(row.values()) for row in rows]
    )


async def _pgbench(report: Any, passerelle: Passerelle) -> None:
    """What this PostgreSQL can do: one insert a transaction, 16 clients."""
    program = installation() / "bin" / "pgbench"
    if not program.exists():
        report.note("pgbench is not among the embedded programs")
        return
    script = Path("/tmp/passerelle-bench.sql")
    script.write_text("INSERT INTO bench_row (body) VALUES (repeat('x', 1000));\n")
    async with database(passerelle.data_dir) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS bench_row (id bigserial PRIMARY KEY, body text)")
    output = subprocess.run(
        [program, "-n", "-c16", "-j2", f"-T{SECONDS}", "-f", script, EmbeddedPostgres.address_of(passerelle.data_dir)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = re.search(r"tps = (\S+)", output)
    report.line("pgbench, one insert", transactions_per_second=round(float(found[1])) if found else output)
