"""Lists are read from a real replica, and nobody misses what they have written."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from pydantic import SecretStr

from passerelle.app.services import Services, open_services
from passerelle.app.settings import Settings
from passerelle.dev.postgres import EmbeddedPostgres, options
from passerelle.kit.secrets import SecretBox, generate_key
from passerelle.migrations.schema import migrate
from tests.integration.secrets.product import Product, joined
from tests.passable import passable

SET = "name: set\nsteps:\n- {id: a, set: {x: 1}}\n"


class Replicated:
    """A server that may be followed, and one that follows it."""

    def __init__(self, folder: Path) -> None:
        self._first = EmbeddedPostgres(passable(folder))
        self._folder = folder / "replica"
        self.url = self.read_url = ""
        self.process: Process | None = None

    async def start(self) -> None:
        self.url = await self._first.start()
        await migrate(self.url)
        programs, sockets = self._first._programs, self._folder / "sockets"
        for folder in (self._folder, sockets):
            folder.mkdir(mode=0o700)
            if programs.account is not None:
                os.chown(folder, programs.account.uid, programs.account.gid)
        cluster = self._folder / "cluster"
        copying = ("-D", str(cluster), "-R", "-X", "stream", "-c", "fast", "-d", self.url)
        await programs.run("pg_basebackup", *copying, needs=self._folder)
        own = {"unix_socket_directories": str(sockets), "hot_standby": "on"}
        with (self._folder.parent / "replica.log").open("wb") as log:
            arguments = options.arguments({**options.SETTINGS, **own})
            self.process = await programs.serve(cluster, arguments, log.fileno())
        self.read_url = self.url.partition("?")[0] + f"?host={sockets}&port={options.PORT}"
        async with asyncio.timeout(30):
            while not await self._follows():  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
            await self.process.wait()
        await self._first.stop()

    def send(self, number: int) -> None:
        """To every process of the replica."""
        assert self.process is not None
        server = psutil.Process(self.process.pid)
        for process in (server, *server.children(recursive=True)):
            process.send_signal(number)

    async def _follows(self) -> bool:
        try:
            connection = await asyncpg.connect(self.read_url)
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Replicated]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(options, "SETTINGS", {**options.SETTINGS, "wal_level": "replica", "max_wal_senders": "4"})
        patch.setattr(options, "HBA", options.HBA + "local  replication  all  scram-sha-256\n")
        born = options.birth
        patch.setattr(options, "birth", lambda password: [*born(password), f"ALTER ROLE {options.ROLE} REPLICATION"])
        replicated = Replicated(tmp_path_factory.mktemp("replicated"))
        await replicated.start()
        yield replicated
        await replicated.stop()


@pytest.fixture
async def product(servers: Replicated) -> AsyncIterator[Product]:
    given = Settings(database_read_url=SecretStr(servers.read_url), database_connections=4)
    async with (
        open_services(given, servers.url, SecretBox([generate_key()])) as services,
        joined(services, servers.url) as joining,
    ):
        yield joining


async def is_replica(services: Services, product: Product) -> bool:
    async with services.shared.database.reading(product.workspace_id) as connection:
        return bool(await connection.fetchval("SELECT pg_is_in_recovery()"))


async def executions(api: httpx.AsyncClient) -> int:
    answer = await api.get("/workflows", params={"limit": 500})
    assert answer.status_code == 200, answer.text
    return len(answer.json()["data"])


async def test_a_list_comes_from_the_replica_and_has_what_was_just_written(product: Product) -> None:
    assert await is_replica(product.services, product)
    for count in range(1, 15):
        await product.run(SET)
        assert await executions(product.api) == count
        assert await executions(product.stranger) == 0


async def test_row_level_security_binds_on_the_replica_too(product: Product) -> None:
    await product.run(SET)
    async with product.services.shared.database.reading(product.workspace_id) as connection:
        owners = await connection.fetch("SELECT DISTINCT workspace_id FROM execution")
    assert [row["workspace_id"] for row in owners] == [product.workspace_id]


async def test_one_that_hangs_or_is_gone_holds_nobody_up(product: Product, servers: Replicated) -> None:
    servers.send(signal.SIGSTOP)
    try:
        for count in range(1, 4):
            await product.run(SET)
            began = time.monotonic()
            assert await executions(product.api) == count
            assert time.monotonic() - began < 2, "a tenth of a second, and what a busy machine adds"
    finally:
        servers.send(signal.SIGCONT)
    assert servers.process is not None
    servers.process.send_signal(signal.SIGQUIT)
    await servers.process.wait()
    await product.run(SET)
    assert await executions(product.api) == 4


async def test_without_the_replica_a_process_starts(product: Product) -> None:
    """The one before has stopped it."""
    await product.run(SET)
    assert await executions(product.api) == 1
    assert not await is_replica(product.services, product)
