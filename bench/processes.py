"""One port and several processes: completed runs a second, and what a run costs in processor time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import psutil

from bench.harness import PASSERELLE, SECONDS, Counters, Passerelle, database, running, wrk
from bench.runs import PURE
from passerelle.dev.folder import SECRET_KEY_FILE
from passerelle.dev.postgres import EmbeddedPostgres

PORT = 18098
COUNTS = (1, 2, 4)


async def sharing(report: Any) -> None:
    """Runs of three pure steps by 1, 2 and 4 processes on one PostgreSQL; the load runs on the same machine."""
    with running() as passerelle:
        body = {
            "workflowDefinitionId": passerelle.push(PURE),
            "parameters": {"amount": 70, "payload": "x" * 1000},
        }
        for count in COUNTS:
            with _serving(passerelle, count) as there:
                await wrk(f"{there.url}/workflows/run", there.headers, body, connections=64, seconds=3)
                async with database(passerelle.data_dir) as connection:
                    before, spent, store = await Counters.read(connection), _spent(there), _spent_by_database(there)
                    load = await wrk(f"{there.url}/workflows/run", there.headers, body, connections=64)
                    spent, store = _spent(there) - spent, _spent_by_database(there) - store
                    completed = (await Counters.read(connection)).completed - before.completed
            report.line(
                f"3 pure steps, {count} processes" if count > 1 else "3 pure steps, 1 process",
                completed_per_second=round(completed / SECONDS),
                p50_ms=round(load.p50, 1),
                p99_ms=round(load.p99, 1),
                server_us_per_run=round(spent / completed * 1e6),
                database_us_per_run=round(store / completed * 1e6),
                errors=load.errors,
            )


@contextmanager
def _serving(passerelle: Passerelle, count: int) -> Iterator[Passerelle]:
    """As many processes beside the `dev` whose database they use."""
    environment = {
        **os.environ,
        "PASSERELLE_DATABASE_URL": EmbeddedPostgres.address_of(passerelle.data_dir),
        "PASSERELLE_SECRET_KEY": (passerelle.data_dir / SECRET_KEY_FILE).read_text().strip(),
        "PASSERELLE_LOG_LEVEL": "warning",
    }
    words = ["serve", "--host", "127.0.0.1", "--port", str(PORT), "--processes", str(count)]
    process = subprocess.Popen([PASSERELLE, *words], env=environment, stdout=subprocess.PIPE)
    url = f"http://127.0.0.1:{PORT}"
    try:
        assert process.stdout is not None
        process.stdout.readline()
        while not _answers(url):
            time.sleep(0.1)
        yield replace(passerelle, process=process, demo={**passerelle.demo, "baseUrl": url})
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").is_success
    except httpx.HTTPError:
        return False


def _spent(passerelle: Passerelle) -> float:
    """Processor seconds of the processes so far."""
    above = psutil.Process(passerelle.process.pid)
    return sum(_seconds(one) for one in (above, *above.children(recursive=True)))


def _spent_by_database(passerelle: Passerelle) -> float:
    pid = int(next(passerelle.data_dir.rglob("postmaster.pid")).read_text().splitlines()[0])
    above = psutil.Process(pid)
    return sum(_seconds(one) for one in (above, *above.children()))


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
