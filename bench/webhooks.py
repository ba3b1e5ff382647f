"""Webhooks: from commit to the first attempt, deliveries a second, and neighbours of a receiver that hangs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx

from bench.harness import Passerelle, database, percentile, running
from passerelle.kit.clock import system_clock
from passerelle.kit.ids import new_id
from passerelle.kit.json import loads

RATE = 100
"""Events a second."""
SECONDS = 20
BACKLOG = 6_000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ALLOWED = {"PASSERELLE_EGRESS_ALLOW": "127.0.0.0/8"}


class Receiver:
    """Takes deliveries on a port of its own and remembers when each event came first."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.came: dict[str, float] = {}
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:")
                body = await reader.readexactly(length)
                self.came.setdefault(loads(body)["id"], time.time())
                await asyncio.sleep(self.delay)
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def _receivers(*delays: float) -> AsyncIterator[list[Receiver]]:
    receivers = [Receiver(delay) for delay in delays]
    servers = []
    for receiver in receivers:
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        servers.append(server)
    try:
        yield receivers
    finally:
        for server in servers:
            server.close()


async def commit_to_attempt(report: Any) -> None:
    """At 100 events a second."""
    with running(environment=ALLOWED) as passerelle:
        async with _receivers(0.02) as (receiver,):
            _endpoint(passerelle, receiver)
            took = await _paced(passerelle, [receiver])
    report.line(
        f"commit to attempt, {RATE} events/s",
        p50_ms=round(percentile(took, 0.5)),
        p99_ms=round(percentile(took, 0.99)),
        deliveries=len(took),
    )


async def throughput(report: Any) -> None:
    """A backlog to one endpoint that answers in 20 ms, one worker."""
    with running(environment=ALLOWED) as passerelle:
        async with _receivers(0.02) as (receiver,):
            endpoint = _endpoint(passerelle, receiver, paused=True)
            async with database(passerelle.data_dir) as connection:
                for _ in range(BACKLOG):
                    await _event(connection, UUID(passerelle.demo["workspaceId"]))
            _change(passerelle, endpoint, {"paused": False})
            began = time.time()
            await _until(receiver, BACKLOG)
            took = max(receiver.came.values()) - began
    report.line("deliveries to one endpoint, 20 ms", deliveries_per_second=round(BACKLOG / took), of=BACKLOG)


async def neighbours(report: Any) -> None:
    """Ten endpoints, all well; then one of them hangs for 10 s each time."""
    for name, tenth in (("ten endpoints, all well", 0.02), ("nine beside one that hangs", 10.0)):
        with running(environment=ALLOWED) as passerelle:
            async with _receivers(*[0.02] * 9, tenth) as receivers:
                for receiver in receivers:
                    _endpoint(passerelle, receiver)
                took = await _paced(passerelle, receivers[:9], rate=20)
        report.line(
            name, p50_ms=round(percentile(took, 0.5)), p99_ms=round(percentile(took, 0.99)), deliveries=len(took)
        )


async def _paced(passerelle: Passerelle, receivers: list[Receiver], rate: int = RATE) -> list[float]:
    """Commit events at a steady rate; milliseconds from each commit to each receiver."""
    committed: dict[str, float] = {}
    workspace = UUID(passerelle.demo["workspaceId"])
    async with database(passerelle.data_dir) as connection:
        began = time.time()
        for number in range(rate * SECONDS):
            await asyncio.sleep(max(0.0, began + number / rate - time.time()))
            event_id = await _event(connection, workspace)
            committed[str(event_id)] = time.time()
    for receiver in receivers:
        await _until(receiver, len(committed))
    return [(receiver.came[name] - at) * 1000 for receiver in receivers for name, at in committed.items()]


async def _event(connection: Any, workspace: UUID) -> UUID:
    event_id = new_id()
    data = '{"workflowId": "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80", "name": "bench", "status": "COMPLETED"}'
    await connection.execute(
        "INSERT INTO event (workspace_id, id, type, execution_id, data, created_at) "
        "VALUES ($1, $2, 'workflow.completed', $2, $3, $4)",
        workspace,
        event_id,
        data,
        system_clock(),
    )
    return event_id


async def _until(receiver: Receiver, count: int) -> None:
    for _ in range(1_200):
        if len(receiver.came) >= count:
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"only {len(receiver.came)} of {count} came within two minutes")


def _endpoint(passerelle: Passerelle, receiver: Receiver, **wanted: Any) -> str:
    answer = httpx.post(
        f"{passerelle.url}/webhooks/endpoints", headers=passerelle.headers, json={"url": receiver.url, **wanted}
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


def _change(passerelle: Passerelle, endpoint: str, change: dict[str, Any]) -> None:
    url = f"{passerelle.url}/webhooks/endpoints/{endpoint}"
    httpx.patch(url, headers=passerelle.headers, json=change, timeout=30).raise_for_status()
