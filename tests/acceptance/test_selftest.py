"""`passerelle selftest` finds what an installation does not keep, goes on while processes die, and leaves nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
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


async def test_one_that_is_told_to_stop_leaves_nothing(processes: Cluster, database_url: str) -> None:
    """An orchestrator says so with SIGTERM."""
    _, url = processes.serve()
    processes.worker()
    before = await rows(database_url)
    stopped = processes.start("selftest", "--url", url, "--seconds", "100")
    await begun(database_url, 5)
    stopped.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(stopped.wait, 60) == 130
    after = await rows(database_url)
    assert {name: count for name, count in after.items() if count != before[name]} == {}


async def test_what_a_killed_one_has_left_counts_for_nothing_and_is_removed_once_it_is_over(
    processes: Cluster, database_url: str
) -> None:
    _, url = processes.serve()
    over, runs = (f"passerelle selftest until {year}-01-01T00:00:00.000Z" for year in (2020, 2999))
    for name in (over, runs):
        processes.command("workspace", "create", name)
    own = processes.command("workspace", "create", "passerelle selftest")
    token = json.loads(processes.command("key", "create", own, "--token", "--api-version", "2"))["organizationToken"]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as api:
        told = await api.get(f"{url}/operations")
    assert told.json()["installation"] is not None, "it is the only organization's"
    processes.command("user", "create", "eva@example.com")
    assert "eva@example.com" in processes.command("user", "list")
    done = await asyncio.to_thread(tried, processes, f"{url}/nowhere")
    assert "/health/ready answers 404" in done.stderr
    connection: asyncpg.Connection[Any] = await asyncpg.connect(database_url)
    left = {row["name"] for row in await connection.fetch("SELECT name FROM organization")}
    await connection.close()
    assert left == {runs, "passerelle selftest"}


@pytest.mark.parametrize("rights", ["", "GRANT ALL ON ALL TABLES IN SCHEMA public TO {login}"])
async def test_a_user_who_may_not_remove_everything_makes_nothing(
    rights: str, processes: Cluster, database_url: str
) -> None:
    """Neither one who has the rights of the application alone, nor one whom row-level security binds."""
    login = f"tester_{uuid4().hex[:12]}"
    owner: asyncpg.Connection[Any] = await asyncpg.connect(database_url)
    await owner.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'tester'; GRANT passerelle_app TO {login}")
    await owner.execute(f"GRANT {login} TO CURRENT_USER")
    if rights:
        await owner.execute(rights.format(login=login))
    parts = urlsplit(database_url)
    host = parts.netloc.rpartition("@")[2]
    processes.environment["PASSERELLE_DATABASE_URL"] = parts._replace(netloc=f"{login}:tester@{host}").geturl()
    try:
        before = await rows(database_url)
        done = await asyncio.to_thread(tried, processes, "http://127.0.0.1:1")
        assert done.returncode == 1
        assert "only by the user that the tables belong to" in done.stderr
        assert "nothing was made" in done.stderr
        assert await rows(database_url) == before
    finally:
        await owner.execute(f"DROP OWNED BY {login}")
        await owner.execute(f"DROP ROLE {login}")
        await owner.close()


@pytest.mark.parametrize("url", ["nonsense", "ftp://example.com", "https://exa mple.com", "https://"])
def test_what_is_no_address_is_refused_at_once(url: str, processes: Cluster) -> None:
    done = tried(processes, url)
    assert done.returncode == 1
    assert done.stderr.startswith(f"passerelle: --url {url}: must look like https://example.com")


async def begun(database_url: str, count: int) -> None:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(60):
            while await connection.fetchval("SELECT count(*) FROM execution") < count:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
