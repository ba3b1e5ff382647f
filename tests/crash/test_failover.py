"""The database's machine is lost, and the one that follows it takes its place: what was acknowledged is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from passerelle.migrations.schema import migrate
from tests.crash.harness import Client, all_end, cluster, definition
from tests.crash.replicated import Pair

RUNS = 200
WITHIN = 40.0
"""Seconds in which every acknowledged run ends after the failover: a process gives a lost connection up after ten."""
ROUNDS = [pytest.param(0), *[pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 6)]]


@pytest_asyncio.fixture(loop_scope="session")
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    servers = Pair(tmp_path, synchronous=True)
    await servers.start()
    await migrate(servers.first.url)
    yield servers
    await servers.close()


@pytest.mark.parametrize("seed", ROUNDS)
async def test_what_was_acknowledged_survives_the_loss_of_the_first_server(pair: Pair, seed: int) -> None:
    with cluster(pair.url) as system:
        _, url = system.serve()
        system.worker()
        client = Client(system)
        client.push(url, definition(system.register.url))
        failing: list[asyncio.Task[None]] = []

        def at(acknowledged: int) -> None:
            if acknowledged == 50 + 10 * seed:
                failing.append(asyncio.create_task(pair.fail_over()))

        await client.start_many([url], RUNS, at)
        assert len(client.acknowledged) >= 50 + 10 * seed
        await failing[0]
        # The same processes go on with the other server: nobody restarts them.
        await client.start_many([url], 20)
        await all_end(pair.second.url, client.acknowledged, WITHIN)
        async with httpx.AsyncClient() as asking:
            assert (await asking.get(f"{url}/health/ready")).status_code == 200
