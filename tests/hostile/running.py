"""Sends the corpus to a running server, while a neighbour in another workspace goes on working."""

from __future__ import annotations

import re
import resource
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.acceptance.running import PASSERELLE, Dev
from tests.crash.harness import METRICS_TOKEN
from tests.hostile.corpus import Hostile

CALM = "name: calm\nsteps:\n- {id: a, set: {x: 1}}\n- {id: b, set: {x: '${steps.a.x + 1}'}}\n"
MEMORY = 8_000_000_000
"""Of addresses, for the process and all that it starts: nothing here may stop the machine."""


def limited(dev: Dev) -> Dev:
    """The same server, which cannot take the whole machine's memory."""
    resource.prlimit(dev.process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
    return dev


@dataclass
class Neighbour:
    """Somebody in another workspace, who reads and runs all the time. `waits`: seconds of each request."""

    url: str
    token: str
    waits: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Neighbour:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def p99(self) -> float:
        """Seconds that one request in a hundred takes, or longer."""
        return sorted(self.waits)[int(len(self.waits) * 0.99)]

    def _work(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json;version=2"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=60) as client:
            pushed = client.post("/definitions", content=CALM, headers={"Content-Type": "application/yaml"}).json()
            while not self._stop.wait(0.02):
                self._timed(client, "GET", "/workflows", None)
                self._timed(client, "POST", "/workflows/run", {"workflowDefinitionId": pushed["id"]})

    def _timed(self, client: httpx.Client, method: str, path: str, body: Any) -> None:
        began = time.perf_counter()
        answer = client.request(method, path, json=body)
        self.waits.append(time.perf_counter() - began)
        if answer.status_code != 200 or (body is not None and answer.json()["status"] != "COMPLETED"):
            self.wrong.append(answer.text[:300])


def neighbour_of(dev: Dev) -> Neighbour:
    """In a workspace of its own."""

    def told(*words: str) -> str:
        command = [str(PASSERELLE), *words, "--data-dir", str(dev.folder)]
        said: str = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return said

    found = re.search(r"[0-9a-f-]{36}", told("workspace", "create", "neighbour"))
    assert found is not None
    token = re.search(r"pso_\S+|\"organizationToken\": \"([^\"]+)\"", told("key", "create", found.group(), "--token"))
    assert token is not None
    return Neighbour(dev.demo["baseUrl"], token.group(1) or token.group())


@dataclass
class Told:
    """What came of one text."""

    hostile: Hostile
    statuses: list[int] = field(default_factory=list)
    largest: int = 0
    """Bytes of the largest answer."""
    execution: str | None = None


def send(client: httpx.Client, hostile: Hostile) -> Told:
    """Send it, run it, and send its event."""
    told = Told(hostile)

    def asked(method: str, path: str, **rest: Any) -> httpx.Response:
        answer = client.request(method, path, **rest)
        told.statuses.append(answer.status_code)
        told.largest = max(told.largest, len(answer.content))
        return answer

    headers = {"Content-Type": hostile.kind, **hostile.headers}
    answer = asked(hostile.method, hostile.path, content=hostile.body, headers=headers)
    if hostile.parameters is None or answer.status_code not in (200, 201):
        return told
    started = asked(
        "POST", "/workflows", json={"workflowDefinitionId": answer.json()["id"], "parameters": hostile.parameters}
    )
    if started.status_code == 200:
        told.execution = started.json()["id"]
        if hostile.event is not None:
            asked("POST", f"/workflows/{told.execution}/events/wait", json=hostile.event)
    return told


def held_up(client: httpx.Client) -> dict[float, int]:
    """How often something held the server's loop for at most so many seconds of its processor time; at 0 all times."""
    metrics = client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text
    found = re.findall(r'passerelle_loop_held_seconds_bucket\{le="([\d.]+)"\} ([\d.]+)', metrics)
    (every,) = re.findall(r"passerelle_loop_held_seconds_count ([\d.]+)", metrics)
    return {0.0: int(float(every)), **{float(seconds): int(float(times)) for seconds, times in found}}


def processes(dev: Dev) -> list[psutil.Process]:
    """The server, and the Python processes that it has started; not the database."""
    server = psutil.Process(dev.process.pid)
    return [server, *(child for child in server.children(recursive=True) if "python" in child.name())]


def peak_memory(dev: Dev) -> int:
    """Resident bytes that the server's own process has had at most."""
    status = Path(f"/proc/{dev.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024
