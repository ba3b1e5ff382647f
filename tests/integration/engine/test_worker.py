"""A worker outlives its database: what is queued while it is gone runs as soon as it is back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest
from pgqueuer.core.listeners import PGNoticeEventListener
from pgqueuer.models import TableChangedEvent
from pgqueuer.queries import Queries

from passerelle.kit.jobs import NEW_JOB, JobRunning, WaitingJobs, Worker

SECONDS = 30


async def queue(connection: asyncpg.Connection[asyncpg.Record], number: int, entrypoint: str = "test.worker") -> None:
    await connection.execute(
        f"{NEW_JOB} SELECT nextval('pgqueuer_id_seq'), 0, $2, convert_to($1, 'UTF8'), now(), 'queued'",
        str(number),
        entrypoint,
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


async def test_a_job_in_the_middle_of_which_its_process_was_stopped_runs_elsewhere(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "HEARTBEAT", timedelta(seconds=1))
    began, ran = asyncio.Event(), asyncio.Event()

    async def hang(job: JobRunning) -> None:
        began.set()
        await asyncio.Event().wait()

    async def handle(job: JobRunning) -> None:
        ran.set()

    connection = await asyncpg.connect(database_url)
    await queue(connection, 1)
    stopped = asyncio.create_task(Worker(database_url, {"test.worker": hang}, {}).run())
    await asyncio.wait_for(began.wait(), SECONDS)
    # The first time it ends its loop and waits for the job, the second time it ends the job.
    while not stopped.done():
        stopped.cancel()
        await asyncio.wait({stopped}, timeout=0.1)
    other = Worker(database_url, {"test.worker": handle}, {})
    working = asyncio.create_task(other.run())
    try:
        await asyncio.wait_for(ran.wait(), SECONDS)
    finally:
        await other.stop()
        await asyncio.wait_for(working, SECONDS)
        await connection.close()


async def test_a_job_is_kept_whose_retry_could_not_be_written(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the database is away: the job failed for that, and so does saying when it shall run again."""
    monkeypatch.setattr(Worker, "HEARTBEAT", timedelta(seconds=1))
    ran: asyncio.Queue[int] = asyncio.Queue()
    retries = 0

    async def handle(job: JobRunning) -> None:
        await ran.put(job.id)
        if retries == 0:
            raise OSError("the database is away")

    async def away(*_: object) -> None:
        nonlocal retries
        retries += 1
        raise OSError("the database is away")

    monkeypatch.setattr(Queries, "retry_job", away)
    worker = Worker(database_url, {"test.worker": handle}, {})
    working = asyncio.create_task(worker.run())
    connection = await asyncpg.connect(database_url)
    try:
        await queue(connection, 1)
        async with asyncio.timeout(SECONDS):
            assert await ran.get() == await ran.get()
        assert retries == 1
    finally:
        await worker.stop()
        await asyncio.wait_for(working, SECONDS)
        await connection.close()


async def test_notices_of_jobs_that_others_take_are_not_kept(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notice that is kept costs memory, and a look for nothing: each worker hears of every job."""
    most = 0

    class Kept(PGNoticeEventListener):
        def put_nowait(self, item: TableChangedEvent) -> None:
            nonlocal most
            super().put_nowait(item)
            most = max(most, self.qsize())

    monkeypatch.setattr("pgqueuer.core.listeners.PGNoticeEventListener", Kept)
    ran: asyncio.Queue[object] = asyncio.Queue()

    async def handle(job: JobRunning) -> None:
        await ran.put(job.payload)

    workers = [Worker(database_url, {name: handle}, {}) for name in ("test.worker", "test.other")]
    working = [asyncio.create_task(worker.run()) for worker in workers]
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(SECONDS):
            for name in ("test.worker", "test.other"):
                await queue(connection, -1, name)
                assert await ran.get() == -1, "so both hear by now"
            for number in range(300):
                await queue(connection, number)
            assert {await ran.get() for _ in range(300)} == set(range(300))
        assert 0 < most <= 3
    finally:
        for worker in workers:
            await worker.stop()
        await asyncio.wait_for(asyncio.gather(*working), SECONDS)
        await connection.close()


async def test_a_worker_that_was_asked_to_stop_does_not_come_back(database_url: str) -> None:
    worker = Worker(database_url, {}, {})
    await worker.stop()
    await asyncio.wait_for(worker.run(), SECONDS)


async def test_a_job_that_waits_for_somebody_else_leaves_its_place_to_the_next(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WaitingJobs, "PATIENCE", 0.02)
    outside, answered, ran = WaitingJobs(), asyncio.Event(), asyncio.Event()

    async def handle(job: JobRunning) -> None:
        if job.payload == 5:
            ran.set()
            return
        with outside.waiting(job.id):
            await answered.wait()

    worker = Worker(database_url, {"test.worker": handle}, {}, at_once=4, outside=outside)
    connection = await asyncpg.connect(database_url)
    for number in range(6):
        await queue(connection, number)
    working = asyncio.create_task(worker.run())
    try:
        await asyncio.wait_for(ran.wait(), SECONDS)
    finally:
        answered.set()
        await worker.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(working, SECONDS)
        await connection.close()
