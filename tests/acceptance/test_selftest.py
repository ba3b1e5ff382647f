"""`passerelle selftest` finds what an installation does not keep, goes on while processes die, and leaves nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from tests.crash.harness import PASSERELLE, Cluster, cluster


@pytest.fixture
def processes(database_url: str) -> Iterator[Cluster]:
    with cluster(database_url, delay=0) as made:
        yield made


async def rows(database_url: str) -> dict[str, int]:
    """How many each table has, but for those of the queue and of the processes themselves."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [row["tablename"] for row in tables if row["tablename"] not in OF_PROCESSES]
        return {name: await connection.fetchval(f'SELECT count(*) FROM "{name}"') for name in names}
    finally:
        await connection.close()


OF_PROCESSES = {"process", "installation_figures", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics"}


def tried(processes: Cluster, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PASSERELLE, "selftest", "--url", url, "--runs", "10", *options],
        env=processes.environment, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip


async def test_it_keeps_its_promises_and_nothing_is_left(processes: Cluster, database_url: str) -> None:
    _, url = processes.serve()
    processes.worker()
    before = await rows(database_url)
    done = await asyncio.to_thread(tried, processes, url, "--seconds", "0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("kept: ") == 9
    assert "none had to be sent again" in done.stdout
    after = await rows(database_url)
    assert {name: count for name, count in after.items() if count != before[name]} == {}


async def test_it_goes_on_while_a_server_dies(processes: Cluster, database_url: str) -> None:
    doomed, url = processes.serve()
    processes.worker()
    testing = asyncio.create_task(asyncio.to_thread(tried, processes, url, "--seconds", "6"))
    await begun(database_url, 5)
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    processes.start("serve", "--host", "127.0.0.1", "--port", url.rsplit(":", 1)[1])
    done = await testing
    assert done.returncode == 0, done.stderr
    assert "had to be sent again" in done.stdout
    assert "none had to be sent again" not in done.stdout


async def test_what_is_not_kept_is_said_and_nothing_is_left_either(processes: Cluster, database_url: str) -> None:
    _, url = processes.serve()
    connection: asyncpg.Connection[Any] = await asyncpg.connect(database_url)
    await connection.execute(
        "CREATE FUNCTION doubled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.result = '{\"number\": -1}'; RETURN NEW; END $$"
    )
    await connection.execute(
        "CREATE TRIGGER doubled BEFORE UPDATE ON execution FOR EACH ROW EXECUTE FUNCTION doubled()"
    )
    await connection.close()
    processes.worker()
    before = await rows(database_url)
    done = await asyncio.to_thread(tried, processes, url, "--seconds", "0")
    assert done.returncode == 1
    assert "came to {'number': -1}" in done.stderr
    assert await rows(database_url) == before


async def begun(database_url: str, count: int) -> None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(60):
            while await connection.fetchval("SELECT count(*) FROM execution") < count:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
