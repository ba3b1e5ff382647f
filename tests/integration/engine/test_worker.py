"""A worker outlives its database: what is queued while it is gone runs as soon as it is back."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg

from passerelle.kit.jobs import NEW_JOB, JobRunning, Worker

SECONDS = 30


async def queue(connection: asyncpg.Connection[asyncpg.Record], number: int) -> None:
    await connection.execute(
        f"{NEW_JOB} SELECT nextval('pgqueuer_id_seq'), 0, 'test.worker', convert_to($1, 'UTF8'), now(), 'queued'",
        str(number),
    )


async def cut_connections(connection: asyncpg.Connection[asyncpg.Record]) -> int:
    """As a restart of the database does to those who use it."""
    cut = await connection.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'passerelle worker'"
    )
    return len(cut)


async def test_a_worker_goes_on_when_its_connections_were_cut(database_url: str) -> None:
    ran: asyncio.Queue[object] = asyncio.Queue()

    async def handle(job: JobRunning) -> None:
        await ran.put(job.payload)

    worker = Worker(database_url, {"test.worker": handle}, {})
    working = asyncio.create_task(worker.run())
    connection = await asyncpg.connect(database_url)
    try:
        for number in range(4):
            await queue(connection, number)
            assert await asyncio.wait_for(ran.get(), SECONDS) == number
            assert await cut_connections(connection) >= 2
    finally:
        await worker.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(working, SECONDS)
        await connection.close()
    assert working.done()


async def test_a_worker_that_was_asked_to_stop_does_not_come_back(database_url: str) -> None:
    worker = Worker(database_url, {}, {})
    await worker.stop()
    await asyncio.wait_for(worker.run(), SECONDS)
