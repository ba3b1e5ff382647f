"""Real processes on a real database, to be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx

PASSERELLE = Path(sys.executable).with_name("passerelle")
SECRET_KEY = "k" * 40
METRICS_TOKEN = "m" * 32


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def named(url: str, database: str) -> str:
    """The address of another database on the same server."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


class Register:
    """A register that takes its time, and counts who asked."""

    def __init__(self, delay: float) -> None:
        register = self
        self.asked: list[str] = []
        self.keys: list[str | None] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                register.asked.append(self.headers["Idempotency-Key"])
                register.keys.append(self.headers["X-Key"])
                time.sleep(delay)  # the work that a crash interrupts
                content = json.dumps({"key": self.headers["Idempotency-Key"]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Cluster:
    """Processes of one Passerelle."""

    def __init__(self, database_url: str, register: Register) -> None:
        self.register = register
        self.environment = {
            **os.environ,
            "PASSERELLE_DATABASE_URL": database_url,
            "PASSERELLE_SECRET_KEY": SECRET_KEY,
            "PASSERELLE_EGRESS_ALLOW": "127.0.0.0/8",
            "PASSERELLE_METRICS_TOKEN": METRICS_TOKEN,
            "PASSERELLE_LOG_LEVEL": "error",
            "PASSERELLE_SENT_JOURNAL": "0d",  # it would lie among the files of whoever runs the tests
        }
        self.processes: list[subprocess.Popen[str]] = []

    def command(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a command to its end; what it printed."""
        given = {**self.environment, **(environment or {})}
        return subprocess.run(
            [PASSERELLE, *arguments], env=given, capture_output=True, text=True, check=True, timeout=60
        ).stdout.strip()

    def start(
        self, *arguments: str, environment: Mapping[str, str] | None = None, log: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start a process and wait for the line that says it is ready. `log`: the file that it logs to."""
        with log.open("wb") if log is not None else nullcontext() as errors:
            process = subprocess.Popen(
                [PASSERELLE, *arguments],
                env={**self.environment, **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline(), f"passerelle {arguments[0]} did not start"
        return process

    def serve(
        self, *, environment: Mapping[str, str] | None = None, log: Path | None = None
    ) -> tuple[subprocess.Popen[str], str]:
        """An API process and its address."""
        port = free_port()
        arguments = ("serve", "--host", "127.0.0.1", "--port", str(port))
        return self.start(*arguments, environment=environment, log=log), f"http://127.0.0.1:{port}"

    def worker(self, *, environment: Mapping[str, str] | None = None, log: Path | None = None) -> subprocess.Popen[str]:
        """A worker process."""
        return self.start("worker", environment=environment, log=log)

    def close(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@contextmanager
def cluster(database_url: str, delay: float = 0.3) -> Iterator[Cluster]:
    """A cluster with a register that answers after `delay` seconds; everything is gone at the end."""
    register = Register(delay)
    made = Cluster(database_url, register)
    try:
        yield made
    finally:
        made.close()
        register.close()


def metrics(url: str) -> str:
    """What a process tells Prometheus."""
    answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200, answer.text
    return answer.text


def definition(url: str) -> str:
    """Two calls to the outside with pure steps around them."""
    return f"""
name: crash
parameters:
  number: {{type: number, required: true}}
steps:
  - id: before
    set: {{double: "${{parameters.number * 2}}"}}
  - id: first
    http: {{url: "{url}/first"}}
  - id: between
    set: {{key: "${{steps.first.body.key}}"}}
  - id: second
    http: {{url: "{url}/second"}}
result:
  double: "${{steps.before.double}}"
"""


class Client:
    """An integrator's program."""

    def __init__(self, cluster: Cluster) -> None:
        workspace = cluster.command("workspace", "create", "crash")
        made = json.loads(cluster.command("key", "create", workspace, "--token", "--api-version", "2"))
        self.headers = {"Authorization": f"Bearer {made['organizationToken']}"}
        self.acknowledged: list[str] = []
        self.definition_id = ""

    def push(self, url: str, text: str) -> None:
        answer = httpx.post(
            f"{url}/definitions",
            content=text.encode(),
            headers={**self.headers, "Content-Type": "application/yaml"},
        )
        assert answer.status_code == 201, answer.text
        self.definition_id = answer.json()["id"]

    async def start_many(self, urls: list[str], count: int, on_acknowledged: Any = None) -> None:
        """Start `count` executions on 16 connections; those that are acknowledged are remembered."""
        numbers = iter(range(count))

        async def one_after_another(client: httpx.AsyncClient, url: str) -> None:
            for number in numbers:
                body = {"workflowDefinitionId": self.definition_id, "parameters": {"number": number}}
                try:
                    answer = await client.post(f"{url}/workflows", json=body, headers=self.headers)
                except httpx.HTTPError:
                    continue  # not acknowledged: the caller knows that it does not know
                if answer.status_code == 200:
                    self.acknowledged.append(answer.json()["id"])
                    if on_acknowledged is not None:
                        on_acknowledged(len(self.acknowledged))

        async with httpx.AsyncClient(timeout=20) as client:
            await asyncio.gather(*[one_after_another(client, urls[number % len(urls)]) for number in range(16)])


async def _connected(url: str, deadline: float) -> asyncpg.Connection[Any]:
    """A connection, as soon as the database takes one again."""
    while True:
        try:
            return await asyncpg.connect(url)
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
            assert time.monotonic() < deadline, "the database did not come back"
            await asyncio.sleep(0.1)


async def _statuses(url: str, deadline: float, executions: list[str]) -> dict[str, int]:
    """How many of the executions stand how, asked again where the database stops in the middle of it."""
    while True:
        connection = await _connected(url, deadline)
        try:
            rows = await connection.fetch(
                "SELECT status, count(*) AS count FROM execution WHERE id = ANY($1::uuid[]) GROUP BY status", executions
            )
            return {row["status"]: row["count"] for row in rows}
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError):
            assert time.monotonic() < deadline, "the database did not stay"
        finally:
            await connection.close()


async def all_end(database_url: str, acknowledged: list[str], within: float) -> None:
    """Every acknowledged execution is COMPLETED within so many seconds, with each step's result recorded once."""
    deadline = time.monotonic() + within
    while (counts := await _statuses(database_url, deadline, acknowledged)) != {"COMPLETED": len(acknowledged)}:
        assert time.monotonic() < deadline, f"after {within} s: {counts} of {len(acknowledged)}"
        await asyncio.sleep(0.2)
    connection = await _connected(database_url, deadline)
    try:
        doubled = await connection.fetch(
            "SELECT execution_id, step FROM step_run WHERE status = 'COMPLETED' "
            "GROUP BY execution_id, step, visit HAVING count(*) > 1"
        )
        assert doubled == [], "a step's result was recorded twice"
        complete = await connection.fetchval(
            "SELECT count(*) FROM step_run WHERE execution_id = ANY($1::uuid[]) AND status = 'COMPLETED'", acknowledged
        )
        assert complete == 4 * len(acknowledged)
        finished = await connection.fetchval(
            "SELECT count(*) FROM event WHERE type = 'workflow.completed' AND execution_id = ANY($1::uuid[])",
            acknowledged,
        )
        assert finished == len(acknowledged)
        stranded = await connection.fetch("SELECT * FROM stranded_executions('0 seconds', 10)")
        assert stranded == [], "the sweep would find executions without a job"
    finally:
        await connection.close()
