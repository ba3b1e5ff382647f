"""Metrics and health at an address of their own: without credentials, of workers too, and of each of several processes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.crash.harness import Cluster, cluster, free_port


@pytest.fixture
def processes(database_url: str) -> Iterator[Cluster]:
    with cluster(database_url, delay=0) as made:
        yield made


def test_a_worker_tells_how_it_stands_and_nothing_else(processes: Cluster) -> None:
    port = free_port()
    processes.worker(environment={"PASSERELLE_METRICS_LISTEN": f"127.0.0.1:{port}"})
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as scraper:
        told = scraper.get("/metrics")
        assert told.headers["Content-Type"].startswith("text/plain; version=")
        assert "passerelle_database_up 1.0" in told.text
        for path in ("/health/live", "/health/ready"):
            assert scraper.get(path).status_code == scraper.head(path).status_code == 200
        assert scraper.get("/workflows").status_code == 404


def test_each_of_several_processes_has_the_next_port(processes: Cluster) -> None:
    port = free_port()
    environment = {**processes.environment, "PASSERELLE_METRICS_LISTEN": f"127.0.0.1:{port}"}
    processes.start("serve", "--host", "127.0.0.1", "--port", "0", "--processes", "2", environment=environment)
    pids = set()
    for number in range(2):
        text = httpx.get(f"http://127.0.0.1:{port + number}/metrics").text
        pids.add(next(line for line in text.splitlines() if line.startswith("process_start_time_seconds ")))
    assert len(pids) == 2


def test_a_port_that_is_taken_is_said(processes: Cluster) -> None:
    port = free_port()
    processes.worker(environment={"PASSERELLE_METRICS_LISTEN": f"127.0.0.1:{port}"})
    with pytest.raises(AssertionError, match="did not start"):
        processes.worker(environment={"PASSERELLE_METRICS_LISTEN": f"127.0.0.1:{port}"})


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_answers_head(processes: Cluster, path: str) -> None:
    _, url = processes.serve()
    answer = httpx.head(f"{url}{path}")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_process_that_was_told_to_stop_is_ready_at_neither_address(processes: Cluster) -> None:
    port = free_port()
    environment = {"PASSERELLE_METRICS_LISTEN": f"127.0.0.1:{port}", "PASSERELLE_STOP_DELAY": "30s"}
    serving, url = processes.serve(environment=environment)
    with httpx.Client() as asking:
        assert asking.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
        serving.terminate()
        deadline = time.monotonic() + 20
        while asking.get(f"{url}/health/ready").status_code == 200:
            assert time.monotonic() < deadline
        scraped = asking.get(f"http://127.0.0.1:{port}/health/ready")
        assert (scraped.status_code, scraped.text) == (503, "the process was told to stop\n")
        assert asking.get(f"http://127.0.0.1:{port}/metrics").status_code == 200
