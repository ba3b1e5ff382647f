"""`serve` and `worker` beside a supervisor and a balancer: they say when they work, and when they will do so no more."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.crash.harness import Cluster, cluster


@pytest.fixture
def processes(database_url: str) -> Iterator[Cluster]:
    with cluster(database_url, delay=0) as made:
        yield made


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[socket.socket]:
    """What systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        yield listening


def test_a_process_that_is_told_to_stop_says_so_and_answers_until_the_balancer_has_noticed(processes: Cluster) -> None:
    process, url = processes.serve(environment={"PASSERELLE_STOP_DELAY": "3s"})
    assert httpx.get(f"{url}/health/ready").status_code == 200
    process.send_signal(signal.SIGTERM)
    while (told := httpx.get(f"{url}/health/ready")).status_code == 200:
        assert process.poll() is None
    assert told.status_code == 503
    assert told.json()["errors"][0]["code"] == "NOT_READY"
    assert "told to stop" in told.json()["errors"][0]["message"]
    # A connection of its own: others than those that are open are still taken.
    assert httpx.get(f"{url}/health/live").status_code == 200
    assert process.wait(30) == 0


def test_a_delay_that_would_hold_a_release_up_is_refused(processes: Cluster) -> None:
    with pytest.raises(AssertionError, match="did not start"):
        processes.serve(environment={"PASSERELLE_STOP_DELAY": "1h"})


def test_systemd_is_told_when_a_server_answers_and_when_it_stops(processes: Cluster, supervisor: socket.socket) -> None:
    process, url = processes.serve(environment={"NOTIFY_SOCKET": supervisor.getsockname()})
    assert supervisor.recv(100) == b"READY=1"
    assert httpx.get(f"{url}/health/ready").status_code == 200
    process.send_signal(signal.SIGTERM)
    assert supervisor.recv(100) == b"STOPPING=1"
    assert process.wait(30) == 0


def test_systemd_is_told_of_a_worker(processes: Cluster, supervisor: socket.socket) -> None:
    process = processes.worker(environment={"NOTIFY_SOCKET": supervisor.getsockname()})
    assert supervisor.recv(100) == b"READY=1"
    process.send_signal(signal.SIGTERM)
    assert supervisor.recv(100) == b"STOPPING=1"
    assert process.wait(30) == 0
