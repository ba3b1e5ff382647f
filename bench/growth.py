"""What a list takes among many executions, as a multiple of what it takes among few; and what removing costs others.

`BENCH_EXECUTIONS=5000000` for more; a million and its rows take some minutes to make.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import httpx

from bench.dashboard import DEFINITION, filled, queries
from bench.harness import Passerelle, database, percentile, running
from passerelle.dev.postgres import EmbeddedPostgres
from passerelle.dev.postgres.folder import DataFolder
from passerelle.kit.clock import system_clock
from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.resources.files import Files
from passerelle.retention.archives import Archives
from passerelle.retention.kinds import usual
from passerelle.retention.removing import Removal

FEW = 10_000
MANY = int(os.environ.get("BENCH_EXECUTIONS", "1000000"))
TIMES = 60
RECORDS = 1_000
NOTEWORTHY = 3.0
"""Milliseconds: what a list of few takes at least, for a multiple to mean anything."""
REMOVING = 60.0
"""Seconds of removal that are measured."""
SLOW = 50
"""Milliseconds: the embedded PostgreSQL tells each statement that takes longer, as it has no `pg_stat_statements`."""

_STEPS = """
    INSERT INTO step_run (workspace_id, execution_id, step, visit, attempt, ordinal, kind, status, input, output,
                          started_at, ended_at)
    SELECT e.workspace_id, e.id, r.step, r.visit, r.attempt, r.ordinal, r.kind, r.status, r.input, r.output,
           e.created_at, e.created_at
    FROM (SELECT * FROM step_run ORDER BY execution_id LIMIT 3) r, execution e
    ON CONFLICT DO NOTHING
"""
_EVENTS = """
    INSERT INTO event (workspace_id, id, type, execution_id, data, created_at, transaction)
    SELECT e.workspace_id, e.id, v.type, e.id, v.data, e.created_at,
           (1 + 700.0 * (1 - extract(epoch FROM now() - e.created_at) / 86400 / 400))::bigint::text::xid8
    FROM (SELECT * FROM event WHERE type = 'workflow.completed' LIMIT 1) v, execution e
    ON CONFLICT DO NOTHING
"""
_AUDIT = """
    INSERT INTO audit_entry (chain, id, at, action, outcome, object_kind, object_id, content)
    SELECT e.workspace_id, e.id, e.created_at, 'cancelWorkflow', 'done', 'workflow', e.id::text,
           t.content
    FROM execution e, (SELECT content FROM audit_entry ORDER BY id DESC LIMIT 1) t
"""


async def growth(report: Any) -> None:
    """The lists among few and among many; then removal, beside a client who goes on."""
    few = await _measured(report, FEW)
    many = await _measured(report, MANY)
    for name, (p50, p99) in many.items():
        before, _ = few[name]
        report.line(
            name,
            few_p50_ms=round(before, 1),
            many_p50_ms=round(p50, 1),
            many_p99_ms=round(p99, 1),
            multiple=round(p50 / max(before, NOTEWORTHY), 2),
        )


async def _measured(report: Any, executions: int) -> dict[str, tuple[float, float]]:
    with running() as passerelle:
        began = time.perf_counter()
        await filled(passerelle, RECORDS, executions)
        async with database(passerelle.data_dir) as connection:
            for statement in (_STEPS, _EVENTS, _AUDIT):
                await connection.execute(statement, timeout=3600)
            await connection.execute("VACUUM ANALYZE", timeout=3600)
            size = await connection.fetchval("SELECT pg_database_size(current_database())")
        report.line(
            f"{executions:,} executions", fill_s=round(time.perf_counter() - began), bytes_each=size // executions
        )
        _tell_slow_statements(passerelle)
        found = await asyncio.to_thread(_asked, passerelle)
        for statement, took in _slow(passerelle).items():
            report.line(f"statement over {SLOW} ms: {statement}", times=len(took), p50_ms=round(percentile(took, 0.5)))
        if executions == MANY:
            await _removing(report, passerelle)
        return found


def _tell_slow_statements(passerelle: Passerelle) -> None:
    """Have the server write down what takes too long. Its role may not, so this is said in its file of settings."""
    cluster = DataFolder(passerelle.data_dir).cluster
    with (cluster / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"log_min_duration_statement = {SLOW}\n")
    os.kill(int((cluster / "postmaster.pid").read_text().split()[0]), signal.SIGHUP)


def _slow(passerelle: Passerelle) -> dict[str, list[float]]:
    """How long the statements took that took too long, by the beginnings of their texts."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    log = DataFolder(passerelle.data_dir).log.read_text(errors="replace")
    for took, text in re.findall(r"duration: ([\d.]+) ms  \w+(?: [^:]*)?: (.*(?:\n\s.*)*)", log):
        found[" ".join(text.split())[:120]].append(float(took))
    return found


def _asked(passerelle: Passerelle) -> dict[str, tuple[float, float]]:
    with httpx.Client(base_url=passerelle.url, headers=passerelle.headers, timeout=60) as client:
        return {name: _times(ask) for name, ask in _lists(client)}


def _lists(client: httpx.Client) -> Iterator[tuple[str, Callable[[], httpx.Response]]]:
    for name, query in queries(client):
        yield f"executions: {name}", partial(client.get, "/workflows", params={"limit": 50, **query})
        yield f"counts: {name}", partial(client.get, "/workflows/counts", params=query)
    one = client.get("/workflows", params={"limit": 1}).json()["data"][0]["id"]
    for path in (f"/workflows/{one}", f"/workflows/{one}/timeline", "/workflows/failures", "/reviews", "/link"):
        yield path.replace(one, "{id}"), partial(client.get, path)
    for path in ("/webhooks/deliveries", "/events", "/audit", "/quotas", "/operations", "/retention", "/definitions"):
        yield path, partial(client.get, path)
    yield "audit of an object", partial(client.get, "/audit", params={"object": one})
    yield "audit by action", partial(client.get, "/audit", params={"action": "cancelWorkflow"})
    yield "retention preview", partial(client.post, "/retention/preview", json={"executions": "300d", "events": "7d"})


def _times(ask: Callable[[], httpx.Response]) -> tuple[float, float]:
    took: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = ask()
        took.append((time.perf_counter() - began) * 1000)
        if answer.is_error:
            raise RuntimeError(f"{answer.request.url}: {answer.text}")
        if took[-1] > 1500:
            break
    return percentile(took, 0.5), percentile(took, 0.99)


async def _removing(report: Any, passerelle: Passerelle) -> None:
    """Runs, one after the other, without and beside the removal of what is older than half a year."""
    definition = passerelle.push(DEFINITION.format(revision=1))
    async with database(passerelle.data_dir) as connection:
        before = await connection.fetchval("SELECT pg_current_wal_lsn()")
        alone = await asyncio.to_thread(_runs, passerelle, definition, 15.0)
        wal = await connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1)::bigint", before)
    report.line("write-ahead log", bytes_a_run=round(wal / len(alone)))
    workspace_id = UUID(passerelle.demo["workspaceId"])
    async with database(passerelle.data_dir) as connection:
        await connection.execute(
            "INSERT INTO retention_rule (workspace_id, kind, keep, updated_at) "
            "VALUES ($1, 'executions', '180 days', now()), ($1, 'events', '180 days', now())",
            workspace_id,
        )
    pool = await Database.open(EmbeddedPostgres.address_of(passerelle.data_dir), size=2)
    try:
        removal = Removal(
            pool,
            Archives(pool, Files.in_memory(), system_clock, new_id),
            system_clock,
            {one.kind: one.lasts for one in usual(_settings())},
        )
        work = asyncio.create_task(removal.run())
        beside = await asyncio.to_thread(_runs, passerelle, definition, REMOVING)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    finally:
        await pool.close()
    async with database(passerelle.data_dir) as connection:
        left = await connection.fetchval("SELECT count(*) FROM execution WHERE created_at < now() - interval '1 hour'")
    report.line("runs alone", p50_ms=round(percentile(alone, 0.5), 1), p99_ms=round(percentile(alone, 0.99), 1))
    report.line(
        "runs beside removal",
        p50_ms=round(percentile(beside, 0.5), 1),
        p99_ms=round(percentile(beside, 0.99), 1),
        removed_a_second=round((MANY - left) / REMOVING),
    )


def _settings() -> Any:
    from passerelle.app.settings import Settings  # noqa: PLC0415 - reads the environment

    return Settings()


def _runs(passerelle: Passerelle, definition: str, seconds: float) -> list[float]:
    until, took = time.perf_counter() + seconds, []
    body = {"workflowDefinitionId": definition, "parameters": {"way": "done"}}
    with httpx.Client(base_url=passerelle.url, headers=passerelle.headers, timeout=60) as client:
        while time.perf_counter() < until:
            began = time.perf_counter()
            client.post("/workflows/run", json=body).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
    return took
