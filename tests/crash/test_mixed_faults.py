"""Everything at once: two servers, three workers, a register, a receiver, and faults that a seed draws.

Processes are killed, or stand still for longer than their lease; PostgreSQL stops at once; connections to it are cut, or
go nowhere while both sides think that they are there. What was acknowledged ends, once, and is told once.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest

from tests.crash.harness import Client, Cluster, all_end, cluster, definition
from tests.crash.servers import Postgres
from tests.crash.test_webhooks import Receiver, receiving

RUNS = 80
FAULTS = 4
PAUSE = 11.0
"""Seconds that a process stands still: longer than the eight after which its jobs are taken over."""
NOWHERE = 6.0
"""Seconds for which what is sent to PostgreSQL goes nowhere."""
WITHIN = 150.0
SEEDS = [*range(5), *[pytest.param(seed, marks=pytest.mark.long) for seed in range(5, 200)]]


class Relay:
    """Stands between processes and PostgreSQL."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            theirs, ours = await asyncio.open_unix_connection(self._socket)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, ours}
        ways = [asyncio.create_task(self._pass(reader, ours)), asyncio.create_task(self._pass(theirs, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for one in (writer, ours):
            self._writers.discard(one)
            one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()

    def cut(self) -> None:
        """End every connection at once."""
        for one in list(self._writers):
            one.transport.abort()

    async def go_nowhere(self, seconds: float) -> None:
        """Let nothing through for so long; nobody is told."""
        self._flowing.clear()
        await asyncio.sleep(seconds)
        self._flowing.set()


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[tuple[Relay, str]]:
    """The relay, and PostgreSQL's address through it."""
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    relay = Relay(f"{options['host'][0]}/.s.PGSQL.{options['port'][0]}")
    server = await asyncio.start_server(relay.take, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay, f"postgresql://{parts.username}:{parts.password}@127.0.0.1:{relay.port}{parts.path}"
    finally:
        server.close()
        relay.cut()


@pytest.mark.timeout(500)
@pytest.mark.parametrize("seed", SEEDS)
async def test_what_was_acknowledged_ends_once_and_is_told_once(postgres: Postgres, seed: int) -> None:
    random_ = random.Random(seed)
    async with relayed(postgres.url) as (relay, url):
        with cluster(url, delay=0.1) as system, receiving(random_) as receiver:
            client = await asyncio.to_thread(Client, system)
            servers = [await asyncio.to_thread(system.serve) for _ in range(2)]
            workers = [await asyncio.to_thread(system.worker) for _ in range(3)]
            addresses = [address for _, address in servers]
            await asyncio.to_thread(_prepare, client, system, addresses[0], receiver)
            pausing: list[asyncio.Task[None]] = []

            def pause(process: subprocess.Popen[str]) -> Callable[[], None]:
                return lambda: pausing.append(asyncio.ensure_future(stand_still(process)))

            faults: list[Callable[[], None]] = [
                lambda: servers[0][0].send_signal(signal.SIGKILL),
                lambda: workers[0].send_signal(signal.SIGKILL),
                pause(workers[1]),
                postgres.stop_immediately,
                relay.cut,
                lambda: pausing.append(asyncio.ensure_future(relay.go_nowhere(NOWHERE))),
            ]
            chosen = random_.sample(faults, FAULTS)
            at = dict(zip(sorted(random_.sample(range(5, RUNS - 10), FAULTS)), chosen, strict=True))
            await client.start_many(addresses, RUNS, lambda acknowledged: at.pop(acknowledged, lambda: None)())
            for fault in at.values():
                fault()
            await asyncio.gather(*pausing)
            assert client.acknowledged
            await all_end(postgres.url, client.acknowledged, WITHIN)
            await _all_are_told(postgres.url, receiver)


def _prepare(client: Client, system: Cluster, url: str, receiver: Receiver) -> None:
    client.push(url, definition(system.register.url))
    answer = httpx.post(f"{url}/webhooks/endpoints", json={"url": receiver.url}, headers=client.headers)
    assert answer.status_code == 201, answer.text


async def stand_still(process: subprocess.Popen[str]) -> None:
    """As a machine that swaps, or a container that is frozen."""
    os.kill(process.pid, signal.SIGSTOP)
    await asyncio.sleep(PAUSE)
    os.kill(process.pid, signal.SIGCONT)


async def _all_are_told(url: str, receiver: Receiver) -> None:
    """Each event that was committed has come, and nothing else."""
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(WITHIN):
            while True:
                events = {str(row["id"]) for row in await connection.fetch("SELECT id FROM event")}
                assert set(receiver.came) <= events, "something came that was not committed"
                if set(receiver.came) == events:
                    return
                await asyncio.sleep(0.2)
    finally:
        await connection.close()
