"""Nothing that was acknowledged is lost when a process dies: real processes, killed in the middle of their work."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Callable

import pytest
from servers import Postgres

from harness import Client, Cluster, all_end, cluster, definition

RUNS = 200
WITHIN = 15.0
"""Seconds in which every acknowledged run ends after the crash."""

ROUNDS = [pytest.param(0), *[pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 10)]]


def at(count: int, act: Callable[[], None]) -> Callable[[int], None]:
    """Calls `act` when that many runs are acknowledged."""
    return lambda acknowledged: act() if acknowledged == count else None


def prepared(cluster: Cluster, url: str) -> Client:
    client = Client(cluster)
    client.push(url, definition(cluster.register.url))
    return client


def kill(process: subprocess.Popen[str]) -> Callable[[], None]:
    return lambda: process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("seed", ROUNDS)
async def test_an_api_process_dies_and_a_worker_finishes_its_runs(postgres: Postgres, seed: int) -> None:
    with cluster(postgres.url) as system:
        doomed, url = system.serve()
        system.worker()
        client = prepared(system, url)
        await client.start_many([url], RUNS, at(80 + 10 * seed, kill(doomed)))
        assert len(client.acknowledged) >= 80
        await all_end(postgres.url, client.acknowledged, WITHIN)


@pytest.mark.parametrize("seed", ROUNDS)
async def test_a_worker_dies_and_another_takes_its_jobs(postgres: Postgres, seed: int) -> None:
    with cluster(postgres.url) as system:
        doomed_api, url = system.serve()
        doomed = system.worker()
        client = prepared(system, url)
        await client.start_many([url], RUNS, at(40, kill(doomed_api)))
        # The worker now owns what the API process left; it dies as well, while another one lives.
        system.worker()
        await asyncio.to_thread(_wait_for_work, system, seed)
        doomed.send_signal(signal.SIGKILL)
        await all_end(postgres.url, client.acknowledged, WITHIN + 5)


@pytest.mark.parametrize("seed", ROUNDS)
async def test_postgresql_stops_at_once_and_comes_back(postgres: Postgres, seed: int) -> None:
    with cluster(postgres.url) as system:
        _, url = system.serve()
        system.worker()
        client = prepared(system, url)
        await client.start_many([url], RUNS, at(60 + 10 * seed, postgres.stop_immediately))
        assert len(client.acknowledged) >= 60
        await all_end(postgres.url, client.acknowledged, WITHIN)


def _wait_for_work(system: Cluster, seed: int) -> None:
    """Until the worker that took over has begun to call the register."""
    import time

    asked = len(system.register.asked)
    deadline = time.monotonic() + 12
    while len(system.register.asked) < asked + 5 + seed and time.monotonic() < deadline:
        time.sleep(0.05)
