"""No text of a caller stops the process, or holds up another workspace, or survives as a job that does so later."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.acceptance.running import PASSERELLE, Dev, start_dev
from tests.crash.harness import METRICS_TOKEN
from tests.hostile.corpus import Hostile, corpus
from tests.hostile.running import held_up, limited, neighbour_of, peak_memory, send

TOO_LONG = 0.5
"""Seconds of its own processor time for which nothing may hold the server's loop, ever."""
LARGEST_ANSWER = 200_000
MOST_MEMORY = 500_000_000


@pytest.mark.timeout(900)
def test_nothing_in_the_corpus_stops_the_server_or_its_neighbours(tmp_path: Path) -> None:
    """With a tenth of the work that the product grants, so that it takes a tenth of the time."""
    _require_bounds((sys.executable, "-m", "tests.hostile.smaller"), tmp_path, corpus(generated=30))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_nothing_in_the_corpus_does_so_with_all_the_work_that_is_granted(tmp_path: Path) -> None:
    _require_bounds((PASSERELLE,), tmp_path, corpus())


def _require_bounds(program: Sequence[str | Path], folder: Path, texts: Sequence[Hostile]) -> None:
    assert len(texts) >= 200
    server = limited(
        start_dev(folder / "data", program=program, environment={"PASSERELLE_METRICS_TOKEN": METRICS_TOKEN})
    )
    try:
        _send_all(server, texts)
    finally:
        server.stop()


def _send_all(server: Dev, texts: Sequence[Hostile]) -> None:
    with server.api() as client, neighbour_of(server) as neighbour:
        client.timeout = httpx.Timeout(90)
        before = held_up(client)
        told = [send(client, one) for one in texts]
        _end(client, [one.execution for one in told if one.execution is not None])
        held = {seconds: times - before[seconds] for seconds, times in held_up(client).items()}
    assert server.process.poll() is None
    assert [one.hostile.name for one in told if any(status >= 500 for status in one.statuses)] == []
    assert [one.hostile.name for one in told if one.largest > LARGEST_ANSWER and one.statuses[-1] >= 400] == []
    assert neighbour.wrong == []
    print(f"{len(neighbour.waits)} requests of the neighbour, p99 {neighbour.p99() * 1000:.0f} ms, held {held}")
    assert held[0.0] - held[0.1] <= 0.01 * held[0.0], "in one moment of a hundred others wait longer than 100 ms"
    assert held[0.0] == held[TOO_LONG], "the log says when (`loop.held`)"
    assert peak_memory(server) < MOST_MEMORY
    assert _stay_ended(server) == []


def _end(client: httpx.Client, executions: list[str]) -> None:
    """Wait until each has ended by itself, or cancel it: a cancel always answers."""
    for execution in executions:
        if client.get(f"/workflows/{execution}").json()["status"] in ("RUNNING", "AWAITING"):
            cancelled = client.post(f"/workflows/{execution}/cancel")
            assert cancelled.status_code in (200, 409), cancelled.text


def _stay_ended(server: Dev) -> list[str]:
    """Executions that are still under way."""
    deadline = time.monotonic() + 30
    with server.api() as client:
        while time.monotonic() < deadline:
            running = client.get("/workflows", params={"status": "RUNNING", "limit": 500}).json()["data"]
            if not running:
                return []
            time.sleep(0.2)
    return [one["name"] for one in running]
