"""What the measurements share: a running Passerelle, a load, and the database's own counters."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from passerelle.dev.postgres import EmbeddedPostgres

PASSERELLE = Path(sys.executable).with_name("passerelle")
SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))


def chromium_path() -> str | None:
    """Where Chromium is, as `make browser` left it."""
    names = ("chromium-headless-shell", "chromium", "google-chrome")
    found = (shutil.which(name) for name in names)
    return os.environ.get("PASSERELLE_TEST_CHROMIUM") or next((path for path in found if path), None)


@dataclass(frozen=True)
class Passerelle:
    """A `passerelle dev` in a process of its own."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    demo: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.demo["baseUrl"])

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.demo['organizationToken']}",
            "Accept": "application/json;version=2",
            "Content-Type": "application/json",
        }

    def push(self, definition: str) -> str:
        """Publish a definition; its id."""
        answer = httpx.post(
            f"{self.url}/definitions",
            content=definition.encode(),
            headers={**self.headers, "Content-Type": "application/yaml"},
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    def memory(self) -> int:
        """Resident bytes of the process."""
        return self._bytes("VmRSS")

    def peak_memory(self) -> int:
        """The most that it ever had."""
        return self._bytes("VmHWM")

    def _bytes(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index] # Linux writes it


ANSWERS = """
import asyncio, sys
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 13\\r\\n\\r\\n{\\"good\\":true}"
async def talk(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def register(port: int = 18099) -> Iterator[str]:
    """Something outside that answers at once, in a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", ANSWERS, str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def running(*, environment: dict[str, str] | None = None) -> Iterator[Passerelle]:
    """`passerelle dev` on a fresh folder."""
    folder = Path(tempfile.mkdtemp(prefix="passerelle-bench-"))
    folder.chmod(0o711)  # as root, PostgreSQL runs as another user, who must get to its data
    data_dir = folder / "data"
    process = subprocess.Popen(
        [PASSERELLE, "dev", "--port", "0", "--data-dir", str(data_dir)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    try:
        demo = _ready(process, data_dir)
        yield Passerelle(process, data_dir, demo)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _ready(process: subprocess.Popen[bytes], data_dir: Path) -> dict[str, Any]:
    for _ in range(1800):
        if process.poll() is not None:
            raise RuntimeError("passerelle dev did not start")
        path = data_dir / "demo.json"
        if path.exists():
            demo: dict[str, Any] = json.loads(path.read_text())
            with_server = httpx.get(demo["baseUrl"] + "/health/ready") if _answers(demo["baseUrl"]) else None
            if with_server is not None and with_server.is_success:
                return demo
        time.sleep(0.1)
    raise RuntimeError("passerelle dev was not ready within three minutes")


def _answers(url: str) -> bool:
    try:
        httpx.get(url + "/health/live")
    except httpx.HTTPError:
        return False
    return True


@asynccontextmanager
async def database(data_dir: Path) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection to the embedded database of a running `dev`, with the owner's rights."""
    connection = await asyncpg.connect(EmbeddedPostgres.address_of(data_dir))
    try:
        yield connection
    finally:
        await connection.close()


@dataclass(frozen=True)
class Counters:
    """The database's own figures at one moment."""

    completed: int
    commits: int
    wal: int

    @classmethod
    async def read(cls, connection: asyncpg.Connection[Any]) -> Counters:
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM execution WHERE status = 'COMPLETED') AS completed, "
            "(SELECT sum(xact_commit)::bigint FROM pg_stat_database) AS commits, "
            "pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS wal"
        )
        assert row is not None
        return cls(row["completed"], row["commits"], row["wal"])


@dataclass(frozen=True)
class Load:
    """What wrk saw."""

    requests: float
    """Requests a second."""
    p50: float
    """Milliseconds."""
    p99: float
    errors: int


async def wrk(url: str, headers: dict[str, str], body: Any, *, connections: int = 32, seconds: int = SECONDS) -> Load:
    """POST `body` over and over, on `connections` connections."""
    lua = f'wrk.method = "POST"\nwrk.body = {json.dumps(json.dumps(body))}'
    return await drive(url, headers, lua, connections=connections, seconds=seconds)


async def drive(
    url: str, headers: dict[str, str], lua: str = "", *, connections: int = 32, seconds: int = SECONDS
) -> Load:
    """Ask over and over, on `connections` connections: GET, unless the script says otherwise."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as script:
        for name, value in headers.items():
            script.write(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}\n")
        script.write(f"{lua}\n")
        script.write(
            "done = function(summary, latency)\n"
            "  io.write(string.format('RESULT %f %f %f %d\\n', summary.requests / summary.duration * 1e6,\n"
            "    latency:percentile(50) / 1000, latency:percentile(99) / 1000,\n"
            "    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))\n"
            "end\n"
        )
    process = await asyncio.create_subprocess_exec(
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, url, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    Path(script.name).unlink()
    found = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+)", output.decode())
    if found is None:
        raise RuntimeError(f"wrk said: {output.decode()}")
    return Load(float(found[1]), float(found[2]), float(found[3]), int(found[4]))


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
