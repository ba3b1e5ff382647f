"""`serve --processes`: one port, several processes, and none of them missed for long."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.crash.harness import Cluster, cluster, free_port

WITHIN = 60.0


@pytest.fixture
def processes(database_url: str) -> Iterator[Cluster]:
    with cluster(database_url, delay=0) as made:
        yield made


def started(processes: Cluster, port: int, **environment: str) -> subprocess.Popen[str]:
    """Two processes that answer."""
    words = ("serve", "--host", "127.0.0.1", "--port", str(port), "--processes", "2")
    return processes.start(*words, environment=environment)


def servers(process: subprocess.Popen[str], port: int) -> set[int]:
    """The processes that take connections."""
    found = set()
    for child in psutil.Process(process.pid).children():
        try:
            taken = {one.laddr.port for one in child.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
        except psutil.Error:
            continue
        if port in taken:
            found.add(child.pid)
    return found


def wait_for(what: Callable[[], bool]) -> None:
    """Until it is so."""
    until = time.monotonic() + WITHIN
    while not what():
        assert time.monotonic() < until


def test_both_answer_one_that_dies_is_replaced_and_both_end_together(processes: Cluster) -> None:
    port = free_port()
    process = started(processes, port)
    before = servers(process, port)
    assert len(before) == 2
    asked = [httpx.get(f"http://127.0.0.1:{port}/health/ready") for _ in range(20)]
    assert {one.status_code for one in asked} == {200}

    killed = min(before)
    psutil.Process(killed).kill()
    # Whoever is there answers, and soon there are two again.
    wait_for(lambda: len(servers(process, port) - {killed}) == 2)
    after = servers(process, port) - {killed}
    assert before - {killed} <= after
    assert httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200

    process.send_signal(signal.SIGTERM)
    assert process.wait(WITHIN) == 0
    assert not any(psutil.pid_exists(one) for one in after)


def test_none_stays_behind_when_the_one_above_is_killed(processes: Cluster) -> None:
    port = free_port()
    process = started(processes, port)
    there = servers(process, port)
    process.kill()
    wait_for(lambda: not any(psutil.pid_exists(one) for one in there))


def test_a_port_that_somebody_has_is_refused_whether_they_share_it_or_not(processes: Cluster) -> None:
    port = free_port()
    started(processes, port)
    for words in ((), ("--processes", "2")):
        command = ("serve", "--host", "127.0.0.1", "--port", str(port), *words)
        with pytest.raises(AssertionError, match="did not start"):
            processes.start(*command)


def test_what_keeps_one_from_starting_keeps_all(processes: Cluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = ("serve", "--host", "127.0.0.1", "--port", str(free_port()), "--processes", "2")
    with pytest.raises(AssertionError, match="did not start"):
        processes.start(*words, environment={"PASSERELLE_DATABASE_URL": "postgresql://127.0.0.1:1/none"}, log=log)
    assert processes.processes[-1].wait(WITHIN) == 1
    assert "the first process could not start" in log.read_text()


def test_systemd_hears_once_all_answer(processes: Cluster, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(WITHIN)
        port = free_port()
        process = started(processes, port, NOTIFY_SOCKET=listening.getsockname())
        assert listening.recv(100) == b"READY=1"
        assert len(servers(process, port)) == 2
        process.send_signal(signal.SIGTERM)
        assert listening.recv(100) == b"STOPPING=1"
        assert process.wait(WITHIN) == 0
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.recv(100)
