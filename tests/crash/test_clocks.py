"""Machines whose clocks are minutes off do their part: what falls due, leases and webhooks go by the database's clock."""

from __future__ import annotations

import asyncio
import random
import re
import time
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.crash.harness import Client, cluster, metrics
from tests.crash.servers import Postgres
from tests.crash.test_webhooks import Receiver, receiving

EACH = 20
WITHIN = 60.0
"""Seconds; a clock that counted would keep them for ten minutes."""
OFF = 600


def shifted(seconds: int) -> dict[str, str]:
    """What lets a process believe that it is so much later; the seconds that it waits are true."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    assert library is not None, "libfaketime is not installed: run `make servers`"
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "PASSERELLE_LOG_LEVEL": "warning",
    }


def waiting(url: str) -> str:
    """A timer, then a call whose lease must hold while it takes its time."""
    return f"""
name: waiting
parameters: {{number: {{type: number, required: true}}}}
steps:
  - {{id: pause, wait: {{for: 1s}}}}
  - {{id: call, http: {{url: "{url}/first"}}}}
  - {{id: again, wait: {{for: 1s}}}}
"""


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seconds", [-OFF, OFF], ids=["behind", "ahead"])
async def test_a_machine_whose_clock_is_off_keeps_nothing_and_repeats_nothing(
    postgres: Postgres, seconds: int, tmp_path: Path
) -> None:
    log, environment = tmp_path / "log", shifted(seconds)
    with cluster(postgres.url, delay=0.5) as system, receiving(_never_refused()) as receiver:
        _, right = system.serve()
        _, wrong = system.serve(environment=environment, log=log)
        system.worker()
        system.worker(environment=environment, log=tmp_path / "worker.log")
        client = Client(system)
        client.push(right, waiting(system.register.url))
        _listen(client, wrong, receiver)
        await client.start_many([right, wrong], 2 * EACH)
        await _all_complete(postgres.url, client.acknowledged)
        assert len(client.acknowledged) == 2 * EACH
        asked = system.register.asked
        assert len(asked) == len(set(asked)) == 2 * EACH, "a call was made again"
        await _each_event_came_once(postgres.url, receiver)
        _require_told(right, wrong, seconds)
    assert "clock.off" in log.read_text()
    assert "clock.off" in (tmp_path / "worker.log").read_text()


def _listen(client: Client, url: str, receiver: Receiver) -> None:
    answer = httpx.post(f"{url}/webhooks/endpoints", json={"url": receiver.url}, headers=client.headers)
    assert answer.status_code == 201, answer.text


def _never_refused() -> random.Random:
    class Never(random.Random):
        def random(self) -> float:
            return 1.0

    return Never()


async def _all_complete(url: str, executions: list[str]) -> None:
    connection = await asyncpg.connect(url)
    deadline = time.monotonic() + WITHIN
    while True:
        rows = await connection.fetch(
            "SELECT status, count(*) AS count FROM execution WHERE id = ANY ($1::uuid[]) GROUP BY status", executions
        )
        if {row["status"]: row["count"] for row in rows} == {"COMPLETED": len(executions)}:
            break
        assert time.monotonic() < deadline, f"after {WITHIN} s: {rows}"
        await asyncio.sleep(0.1)
    await connection.close()


async def _each_event_came_once(url: str, receiver: Receiver) -> None:
    connection = await asyncpg.connect(url)
    deadline = time.monotonic() + WITHIN
    while True:
        events = {str(row["id"]) for row in await connection.fetch("SELECT id FROM event")}
        if set(receiver.came) == events:
            break
        assert time.monotonic() < deadline, f"{len(events - set(receiver.came))} events did not come"
        await asyncio.sleep(0.1)
    await connection.close()
    assert set(receiver.came.values()) == {1}


def _require_told(right: str, wrong: str, seconds: int) -> None:
    def off(url: str) -> float:
        found = re.search(r"^passerelle_clock_off_seconds (\S+)", metrics(url), re.M)
        assert found is not None
        return float(found[1])

    assert abs(off(right)) < 1
    assert abs(off(wrong) - seconds) < 2
