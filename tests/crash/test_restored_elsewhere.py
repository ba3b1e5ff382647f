"""A dump is restored into a new PostgreSQL, as after the loss of a machine: everything goes on there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from passerelle.migrations.schema import migrate
from tests.crash.harness import Client, all_end, cluster, definition
from tests.crash.replicated import Server

RUNS = 20
WITHIN = 30.0
COUNTED = 20_000
"""Transactions that the first server has counted, and the second one has not."""


@pytest_asyncio.fixture(loop_scope="session")
async def servers(tmp_path: Path) -> AsyncIterator[tuple[Server, Server]]:
    """A server that has worked for long, and a new one."""
    async with AsyncExitStack() as stack:
        first, second = Server(tmp_path / "first"), Server(tmp_path / "second")
        for server in (first, second):
            stack.push_async_callback(server.close)
            await server.make()
            await server.start()
        connection = await asyncpg.connect(first.url)
        await connection.execute(
            f"DO $$ BEGIN FOR i IN 1..{COUNTED} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        )
        await connection.close()
        await migrate(first.url)
        yield first, second


@pytest.mark.timeout(300)
async def test_a_dump_goes_on_in_another_cluster(servers: tuple[Server, Server], tmp_path: Path) -> None:
    """By the commands of *Running*, *Backups*. The audit has entries: commands and pushes are written down in it."""
    first, second = servers
    with cluster(first.url) as system:
        system.environment |= {"PASSERELLE_FILES_URL": str(tmp_path / "files")}
        _, url = system.serve()
        client = Client(system)
        client.push(url, definition(system.register.url))
        await client.start_many([url], RUNS)
        dump = first.folder_for("dump") / "passerelle.dump"
        arguments = ("--format=custom", "--no-owner", f"--file={dump}", first.url)
        await first.programs.run("pg_dump", *arguments, needs=dump.parent)
        system.close()
        await second.ask("CREATE ROLE postgres_app NOLOGIN")  # under the name that it had, after the owner
        await second.programs.run("pg_restore", "--no-owner", f"--dbname={second.url}", str(dump), needs=dump.parent)

        restored = {"PASSERELLE_DATABASE_URL": second.url}
        told = await asyncio.to_thread(system.command, "migrate", environment=restored)
        assert told.startswith("lowered the numbers of events by ")
        _, url = await asyncio.to_thread(system.serve, environment=restored)
        system.worker(environment=restored)
        await all_end(second.url, client.acknowledged, WITHIN)
        client.push(url, definition(system.register.url).replace("name: ", "name: another-"))
        async with httpx.AsyncClient(headers=client.headers) as asking:
            answer = await asking.get(f"{url}/events", params={"types": "workflow.completed", "limit": 100})
            assert answer.status_code == 200, answer.text
        assert {one["data"]["workflowId"] for one in answer.json()["data"]} == set(client.acknowledged)
        told = await asyncio.to_thread(system.command, "audit", "verify", environment=restored)
        assert "intact" in told
        assert (await second.ask("SELECT count(*) AS entries FROM audit_entry"))[0]["entries"] > 1
