"""The database is set back to a moment by its write-ahead log: all that was acknowledged before it goes on from there."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from passerelle.migrations.schema import migrate
from tests.crash.harness import PASSERELLE, Client, Cluster, all_end, cluster, definition
from tests.crash.replicated import Server

RUNS = 60
WITHIN = 30.0


@pytest_asyncio.fixture(loop_scope="session")
async def servers(tmp_path: Path) -> AsyncIterator[tuple[Server, Server, Path]]:
    """A server that archives its log, the one that takes its place, and the log."""
    async with AsyncExitStack() as stack:
        first, second = Server(tmp_path / "first"), Server(tmp_path / "second")
        log = first.folder_for("archive")
        first.settings |= {"archive_mode": "on", "archive_command": f"cp %p {log}/%f", "archive_timeout": "1"}
        for server in (first, second):
            stack.push_async_callback(server.close)
        await first.make()
        await first.start()
        await migrate(first.url)
        yield first, second, log


@pytest.mark.timeout(300)
async def test_the_database_is_set_back_to_a_moment_while_others_write(
    servers: tuple[Server, Server, Path], tmp_path: Path
) -> None:
    first, second, log = servers
    with cluster(first.url) as system:
        system.environment |= {"PASSERELLE_FILES_URL": str(tmp_path / "files"), "PASSERELLE_SENT_JOURNAL": "1d"}
        serving, url = system.serve()
        working = system.worker()
        client = Client(system)
        client.push(url, definition(system.register.url))
        copying: list[asyncio.Task[None]] = []

        def at(acknowledged: int) -> None:
            if acknowledged == 20:
                copying.append(asyncio.create_task(first.back_up(first.folder / "backup")))

        await client.start_many([url], RUNS, at)
        await copying[0]
        await client.start_many([url], 20)
        kept = list(client.acknowledged)
        moment: datetime = (await first.ask("SELECT clock_timestamp() AS now"))[0]["now"]
        await client.start_many([url], 20)
        lost = client.acknowledged[len(kept) :]
        for process in (serving, working):  # each writes down what it has sent
            process.terminate()
            await asyncio.to_thread(process.wait, 30)
        await first.ask("SELECT pg_switch_wal()")
        await _until_archived(first)
        first.die()
        second.restore(first.folder / "backup", log, moment)
        await second.start()
        await second.writes()
        await migrate(second.url)
        restored = {"PASSERELLE_DATABASE_URL": second.url}
        told = await asyncio.to_thread(_checked, system, restored, moment)
        assert {one.partition(":")[0] for one in told} >= set(lost), "what was called since is told"
        _, url = system.serve(environment=restored)
        system.worker(environment=restored)
        there = {row["id"] for row in await second.ask("SELECT id::text AS id FROM execution")}
        assert set(kept) <= there
        assert there.isdisjoint(lost), "what came after the moment is gone, and the guide says so"
        await all_end(second.url, kept, WITHIN)
        async with httpx.AsyncClient(headers=client.headers) as asking:
            assert (await asking.get(f"{url}/workflows/{kept[0]}")).status_code == 200
            assert (await asking.get(f"{url}/workflows/{lost[0]}")).status_code == 404


def _checked(system: Cluster, restored: dict[str, str], moment: datetime) -> list[str]:
    """The keys that `passerelle restore check` lists."""
    since = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    done = subprocess.run(
        [PASSERELLE, "restore", "check", "--since", since],
        env={**system.environment, **restored},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return [line.split()[3] for line in done.stdout.splitlines() if " call " in line]


async def _until_archived(server: Server) -> None:
    wanted = (await server.ask("SELECT pg_walfile_name(pg_current_wal_lsn()) AS name"))[0]["name"]
    async with asyncio.timeout(30):
        while True:
            archived = (await server.ask("SELECT last_archived_wal AS name FROM pg_stat_archiver"))[0]["name"]
            if archived is not None and archived >= wanted:
                return
            await server.ask("SELECT pg_switch_wal()")
            await asyncio.sleep(0.2)
