"""No event of a committed change is lost on its way, whoever dies: real processes, killed at random moments."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import asyncpg
import httpx
import pytest

from tests.crash.harness import Client, Cluster, cluster
from tests.crash.servers import Postgres

RUNS = 120
WITHIN = 150.0
"""Seconds: a claim of a dead process falls due again after 30; and the machine may be busy."""

SEEDS = [pytest.param(0), *[pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 50)]]

PURE = """
name: pure
parameters:
  number: {type: number, required: true}
steps:
  - id: double
    set: {double: "${parameters.number * 2}"}
"""


class Receiver:
    """Takes deliveries; refuses some, so that retries are under way when something dies."""

    def __init__(self, random_: random.Random) -> None:
        receiver = self
        self.came: Counter[str] = Counter()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refused = random_.random() < 0.05
                if not refused:
                    receiver.came[json.loads(body)["id"]] += 1
                self.send_response(500 if refused else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@contextmanager
def receiving(random_: random.Random) -> Iterator[Receiver]:
    receiver = Receiver(random_)
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", SEEDS)
async def test_every_event_arrives_whoever_dies(postgres: Postgres, seed: int) -> None:
    random_ = random.Random(seed)
    with cluster(postgres.url) as system, receiving(random_) as receiver:
        doomed_api, doomed_url = system.serve()
        _, url = system.serve()
        doomed_worker = system.worker()
        system.worker()
        client = _prepared(system, url, receiver)
        deaths: list[Callable[[], None]] = [
            lambda: doomed_api.send_signal(signal.SIGKILL),
            lambda: doomed_worker.send_signal(signal.SIGKILL),
            postgres.stop_immediately,
        ]
        random_.shuffle(deaths)
        at = dict(zip(sorted(random_.sample(range(10, RUNS - 20), 3)), deaths, strict=True))
        await client.start_many([doomed_url, url], RUNS, lambda acknowledged: at.pop(acknowledged, lambda: None)())
        for death in at.values():
            death()
        await _all_arrive(postgres.url, receiver)


def _prepared(system: Cluster, url: str, receiver: Receiver) -> Client:
    client = Client(system)
    client.push(url, PURE)
    answer = httpx.post(f"{url}/webhooks/endpoints", json={"url": receiver.url}, headers=client.headers)
    assert answer.status_code == 201, answer.text
    return client


async def _all_arrive(database_url: str, receiver: Receiver) -> None:
    """What came is what was committed: nothing is missing, and nothing came that is not true."""
    deadline = time.monotonic() + WITHIN
    while True:
        came = set(receiver.came)
        committed = await _committed(database_url)
        if committed is not None:
            assert came <= committed, f"{len(came - committed)} events came whose change was not committed"
            if came == committed:
                return
        missing = (committed or set()) - came
        assert time.monotonic() < deadline, f"{len(missing)} of {len(committed or ())} events did not come"
        await asyncio.sleep(0.2)


async def _committed(database_url: str) -> set[str] | None:
    """The events that are there; None while the database is not."""
    try:
        connection = await asyncpg.connect(database_url)
    except (OSError, asyncpg.PostgresError):
        return None
    try:
        return {str(row["id"]) for row in await connection.fetch("SELECT id FROM event")}
    finally:
        await connection.close()
