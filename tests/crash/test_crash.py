"""Nothing that was acknowledged is lost when a process dies: real processes, killed in the middle of their work."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.crash.harness import Client, Cluster, all_end, cluster, definition
from tests.crash.servers import Postgres

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
    asked = len(system.register.asked)
    deadline = time.monotonic() + 12
    while len(system.register.asked) < asked + 5 + seed and time.monotonic() < deadline:
        time.sleep(0.05)


async def test_a_call_that_was_under_way_in_a_crash_stands_in_the_timeline(postgres: Postgres) -> None:
    with cluster(postgres.url, delay=2.0) as system:
        doomed_api, url = system.serve()
        client = prepared(system, url)
        await asyncio.to_thread(_killed_in_calls, system, client, doomed_api, url)


def _killed_in_calls(system: Cluster, client: Client, doomed_api: subprocess.Popen[str], url: str) -> None:
    """The API process dies in its call, then a worker in the next; another comes to the end."""
    body = {"workflowDefinitionId": client.definition_id, "parameters": {"number": 1}}
    execution = httpx.post(f"{url}/workflows", json=body, headers=client.headers).json()["id"]
    _until(lambda: len(system.register.asked) == 1)
    doomed_api.send_signal(signal.SIGKILL)
    doomed_api.wait()

    _, url = system.serve()

    def shown() -> Any:
        return httpx.get(f"{url}/workflows/{execution}", headers=client.headers).json()

    def attempts() -> list[tuple[int, str, str | None]]:
        timeline = httpx.get(f"{url}/workflows/{execution}/timeline", headers=client.headers).json()
        return [_facts(run) for run in timeline["steps"] if run["step"] == "first"]

    assert attempts() == [(1, "RUNNING", None)]
    doomed = system.worker()
    _until(lambda: len(system.register.asked) == 2)
    [waits] = shown()["waitingFor"]
    assert (waits["kind"], waits["step"], waits["attempt"], waits["outcomeUnknown"]) == ("call", "first", 2, 1)
    unknown = (1, "FAILED", "OUTCOME_UNKNOWN")
    assert attempts() == [unknown, (2, "RUNNING", None)]
    doomed.send_signal(signal.SIGKILL)

    system.worker()
    _until(lambda: shown()["status"] == "COMPLETED")
    assert attempts() == [unknown, (2, "FAILED", "OUTCOME_UNKNOWN"), (3, "COMPLETED", None)]
    assert len(set(system.register.asked[:3])) == 1, "the other side can tell that it is the same call"


def _facts(run: dict[str, Any]) -> tuple[int, str, str | None]:
    return run["attempt"], run["status"], (run["error"] or {}).get("code")


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
