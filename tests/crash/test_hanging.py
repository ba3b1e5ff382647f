"""A database that hangs, which is worse than one that is gone: connections stay, and nothing answers."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil

from tests.crash.harness import Cluster, cluster
from tests.crash.servers import Postgres


@contextmanager
def hanging(postgres: Postgres) -> Iterator[None]:
    """Every process of the server stands still."""
    pid = int((postgres.folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    server = psutil.Process(pid)
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


async def test_it_is_told_within_a_second_and_sigterm_ends_the_process(postgres: Postgres) -> None:
    with cluster(postgres.url) as processes:
        await asyncio.to_thread(_hangs, processes, postgres)


def _hangs(processes: Cluster, postgres: Postgres) -> None:
    process, url = processes.serve()
    assert httpx.get(f"{url}/health/ready", timeout=10).status_code == 200
    with hanging(postgres):
        for _ in range(3):
            began = time.monotonic()
            assert httpx.get(f"{url}/health/ready", timeout=10).status_code == 503
            assert time.monotonic() - began < 1.5, "a second, and what a busy machine adds"
        assert httpx.get(f"{url}/health/live", timeout=10).status_code == 200
        caught: list[object] = []

        def call() -> None:
            with suppress(httpx.HTTPError):
                caught.append(httpx.post(f"{url}/auth/refresh", json={"refreshToken": "x"}, timeout=60).status_code)

        calling = threading.Thread(target=call)
        calling.start()
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) is not None
        calling.join(10)
        assert not calling.is_alive()
