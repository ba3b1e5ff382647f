"""`make soak [minutes=30]`: work at 70 % of what the machine can do, and nothing that grows.

A server, a worker, a register and a receiver of webhooks, under a mix of runs with a call and a timer, of records and
of lists. First as much as goes, to know what that is; then 70 % of it, sent by the clock and not by the answers. It
fails where memory, the time of answers, the queue or what the database keeps for nothing grows. Samples are written to
build/soak.json.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from statistics import linear_regression, median
from typing import Any, Final

import aiohttp
import asyncpg

from bench.harness import PASSERELLE, percentile
from passerelle.dev.postgres import EmbeddedPostgres
from passerelle.migrations.schema import migrate

SECRET_KEY: Final = "k" * 40
PART: Final = 0.7
PROBE: Final = 20.0
"""Seconds for which as much is sent as goes."""
EVERY: Final = 5.0
"""Seconds between two samples."""
MOST_GROWTH: Final = 1.0
"""MB of memory in ten minutes that a process may take more."""
MOST_SLOWER: Final = 1.3
MOST_QUEUE: Final = 2.0
LITTLE_QUEUE: Final = 50
"""Jobs that may be due at any moment, whatever there were before."""
MOST_BLOAT: Final = 1.5
LATE: Final = 0.25
"""The part of the time that counts as the first, and as the last."""
WARMING: Final = 0.2
"""The part of the time in which memory may grow: what is loaded and remembered has a bound, but begins with nothing."""

DEFINITION: Final = """
name: soak
parameters:
  number: {{type: number, required: true}}
steps:
  - {{id: double, set: {{double: "${{parameters.number * 2}}"}}}}
  - {{id: ask, http: {{url: "{url}/register"}}}}
  - {{id: pause, wait: {{for: 2s}}}}
  - {{id: done, set: {{good: "${{steps.ask.body.good}}"}}}}
"""
TABLE: Final = {
    "name": "soak",
    "fields": [
        {"name": "number", "type": "text", "unique": True, "indexed": True},
        {"name": "score", "type": "number", "indexed": True},
    ],
}
OUTSIDE: Final = """
import asyncio, sys
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 13\\r\\n\\r\\n{\\"good\\":true}"
async def talk(reader, writer):
    try:
        while head := await reader.readuntil(b"\\r\\n\\r\\n"):
            for line in head.lower().split(b"\\r\\n"):
                if line.startswith(b"content-length:"):
                    await reader.readexactly(int(line.split(b":")[1]))
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """How it stood at one moment.

    dead         rows that are kept for nothing, of every table
    queue_bytes  room that the table of jobs takes
    """

    at: float
    memory: dict[str, int]
    due: int
    dead: int
    queue_bytes: int


@dataclass
class Soak:
    """One installation under load."""

    url: str
    database_url: str
    headers: dict[str, str]
    definition: str
    processes: dict[str, subprocess.Popen[str]]
    began: float = 0.0
    took: list[tuple[float, float]] = field(default_factory=list)
    """When each answer came, and how long it took."""
    wrong: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    async def probe(self, session: aiohttp.ClientSession) -> float:
        """How many requests a second go, sent one after another on 8 connections."""
        until = time.monotonic() + PROBE

        async def send() -> int:
            done = 0
            while time.monotonic() < until:
                await self._send(session)
                done += 1
            return done

        return sum(await asyncio.gather(*(send() for _ in range(8)))) / PROBE

    async def last(self, session: aiohttp.ClientSession, rate: float, seconds: float) -> None:
        """Send so many a second by the clock, and take samples."""
        self.began = time.monotonic()
        self.took.clear()
        sampling = asyncio.create_task(self._sample())
        under_way: set[asyncio.Task[None]] = set()
        for number in count():
            due = self.began + number / rate
            if due > self.began + seconds:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self._send(session))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)

    async def _send(self, session: aiohttp.ClientSession) -> None:
        number = next(self._numbers)
        method, path, body = self._request(number)
        began = time.monotonic()
        try:
            async with session.request(method, self.url + path, json=body, headers=self.headers) as answer:
                text = await answer.text()
            if answer.status >= 400:
                self.wrong.append(f"{method} {path}: {answer.status} {text[:200]}")
        except aiohttp.ClientError as error:
            self.wrong.append(f"{method} {path}: {error!r}")
        now = time.monotonic()
        self.took.append((now - self.began, now - began))

    def _request(self, number: int) -> tuple[str, str, Any]:
        kind = number % 6
        if kind in (0, 1):
            return "POST", "/workflows", {"workflowDefinitionId": self.definition, "parameters": {"number": number}}
        if kind == 2:
            return "POST", "/tables/soak/records", {"number": str(number), "score": number % 100}
        if kind == 3:
            return "GET", "/workflows?limit=20", None
        if kind == 4:
            return "GET", "/tables/soak/records?limit=20", None
        return "GET", "/tables", None

    async def _sample(self) -> None:
        connection: asyncpg.Connection[Any] = await asyncpg.connect(self.database_url)
        try:
            while True:
                await asyncio.sleep(EVERY)
                row = await connection.fetchrow(
                    "SELECT (SELECT count(*) FROM pgqueuer WHERE status = 'queued' AND execute_after <= now()) AS due, "
                    "(SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables)::bigint AS dead, "
                    "pg_table_size('pgqueuer') AS queue_bytes"
                )
                assert row is not None
                memory = {name: _memory(process.pid) for name, process in self.processes.items()}
                self.samples.append(
                    Sample(time.monotonic() - self.began, memory, row["due"], row["dead"], row["queue_bytes"])
                )
                print(_line(self.samples[-1], self.took), flush=True)
        finally:
            await connection.close()


def _memory(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def _line(sample: Sample, took: Sequence[tuple[float, float]]) -> str:
    lately = [seconds for at, seconds in took if at > sample.at - EVERY] or [0.0]
    memory = " ".join(f"{name}={size / 1e6:.1f} MB" for name, size in sample.memory.items())
    p99 = percentile(lately, 0.99) * 1000
    return f"{sample.at:6.0f} s  {memory}  p99={p99:.0f} ms  due={sample.due}  dead={sample.dead:,}"


def judged(soak: Soak, seconds: float) -> list[tuple[bool, str]]:
    """What is demanded, whether it holds, and the figures."""
    verdicts = [(not soak.wrong, f"{len(soak.wrong)} of {len(soak.took):,} requests failed {soak.wrong[:2]}")]
    settled = [one for one in soak.samples if one.at > seconds * WARMING]
    for name in soak.processes:
        slope, _ = linear_regression([one.at for one in settled], [one.memory[name] / 1e6 for one in settled])
        verdicts.append((slope * 600 < MOST_GROWTH, f"{name} takes {slope * 600:+.2f} MB in ten minutes"))
    part = min(300.0, seconds * LATE)
    first = [took for at, took in soak.took if at < part]
    last = [took for at, took in soak.took if at > seconds - part]
    before, after = percentile(first, 0.99) * 1000, percentile(last, 0.99) * 1000
    verdicts.append(
        (after <= MOST_SLOWER * before, f"p99 was {before:.0f} ms in the first part, {after:.0f} in the last")
    )
    early = [one for one in settled if one.at < seconds * 0.5]
    late = [one for one in settled if one.at > seconds * (1 - LATE)]
    due = median(one.due for one in early), median(one.due for one in late)
    verdicts.append(
        (due[1] <= max(LITTLE_QUEUE, MOST_QUEUE * due[0]), f"jobs that are due: {due[0]:g}, then {due[1]:g}")
    )
    size = max(one.queue_bytes for one in early), max(one.queue_bytes for one in late)
    told = f"the table of jobs took {size[0] / 1e6:.1f} MB at most, then {size[1] / 1e6:.1f}"
    verdicts.append((size[1] <= MOST_BLOAT * size[0], told))
    return verdicts


@asynccontextmanager
async def installation() -> AsyncIterator[Soak]:
    """PostgreSQL, a server, a worker, and what is outside."""
    with tempfile.TemporaryDirectory(prefix="passerelle-soak-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = EmbeddedPostgres(folder / "data")
        url = await postgres.start()
        outside = subprocess.Popen([sys.executable, "-c", OUTSIDE], stdout=subprocess.PIPE, text=True)
        assert outside.stdout is not None
        there = f"http://127.0.0.1:{outside.stdout.readline().strip()}"
        started: list[subprocess.Popen[str]] = [outside]
        try:
            await migrate(url)
            environment = {
                **os.environ,
                "PASSERELLE_DATABASE_URL": url,
                "PASSERELLE_SECRET_KEY": SECRET_KEY,
                "PASSERELLE_FILES_URL": str(folder / "files"),
                "PASSERELLE_EGRESS_ALLOW": "127.0.0.0/8",
                "PASSERELLE_LOG_LEVEL": "warning",
            }
            yield await _prepared(url, there, environment, started)
        finally:
            for process in started:
                process.terminate()
                process.wait(40)
            await postgres.stop()


async def _prepared(url: str, there: str, environment: dict[str, str], started: list[subprocess.Popen[str]]) -> Soak:
    def command(*words: str) -> str:
        done = subprocess.run([PASSERELLE, *words], env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def process(*words: str) -> tuple[subprocess.Popen[str], str]:
        made = subprocess.Popen([PASSERELLE, *words], env=environment, stdout=subprocess.PIPE, text=True)
        started.append(made)
        assert made.stdout is not None
        return made, made.stdout.readline()

    workspace = await asyncio.to_thread(command, "workspace", "create", "soak")
    token = json.loads(await asyncio.to_thread(command, "key", "create", workspace, "--token"))["organizationToken"]
    server, said = await asyncio.to_thread(process, "serve", "--host", "127.0.0.1", "--port", "0")
    worker, _ = await asyncio.to_thread(process, "worker")
    base = said.split()[-1]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json;version=2"}
    async with aiohttp.ClientSession(base, headers=headers, raise_for_status=True) as session:
        text = DEFINITION.format(url=there)
        async with session.post("/definitions", data=text, headers={"Content-Type": "application/yaml"}) as answer:
            definition = (await answer.json(content_type=None))["id"]
        await session.post("/tables", json=TABLE)
        await session.post("/webhooks/endpoints", json={"url": f"{there}/hook"})
    return Soak(base, url, headers, definition, {"serve": server, "worker": worker})


async def main(minutes: float) -> int:
    """Run it; the exit status."""
    seconds = minutes * 60
    async with installation() as soak, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
        most = await soak.probe(session)
        rate = most * PART
        print(f"{most:.0f} requests a second go; {rate:.0f} are sent for {minutes:g} minutes", flush=True)
        await soak.last(session, rate, seconds)
        verdicts = judged(soak, seconds)
    for good, told in verdicts:
        print(f"{'good' if good else 'BAD '}  {told}")
    written = Path("build/soak.json")
    written.parent.mkdir(exist_ok=True)
    facts = {"minutes": minutes, "rate": rate, "verdicts": verdicts, "samples": [asdict(one) for one in soak.samples]}
    written.write_text(json.dumps(facts, indent=1))
    return 0 if all(good for good, _ in verdicts) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30)))
