"""What the tests of the embedded PostgreSQL share: supervisors as processes, and looks at the system."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from passerelle.dev.postgres import EmbeddedPostgres, leftovers
from passerelle.dev.postgres.cluster import PidFile
from passerelle.dev.postgres.folder import DataFolder, remove_folder
from tests.passable import passable

SUPERVISE = Path(__file__).with_name("supervise.py")
NOBODY = 65534
CUT = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg raises when the server is suddenly gone."""


def _command(data_dir: Path) -> list[str]:
    return [sys.executable, str(SUPERVISE), str(data_dir)]


def refusal(data_dir: Path, wrapped: Sequence[str] = (), **options: Any) -> str:
    """The sentence with which a supervisor of the folder ends, having failed to start."""
    command = [*wrapped, *_command(data_dir)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30, **options)
    assert (ended.returncode, ended.stdout) == (1, "")
    sentence = str(ended.stderr).removesuffix("\n")
    assert "\n" not in sentence
    return sentence


class Supervisor:
    """`supervise.py` on a folder, as a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ready(self) -> str:
        """Waits for its database's address."""
        assert self.process.stdout is not None
        url: str = self.process.stdout.readline().strip()
        assert url, "it ended, see its output"
        return url

    def end(self, request: signal.Signals) -> int:
        """Asks it to end and gives its exit status."""
        self.process.send_signal(request)
        return self.process.wait(30)


@contextmanager
def supervisor(data_dir: Path, wrapped: Sequence[str] = (), **options: Any) -> Iterator[Supervisor]:
    """Ends it, and the database with it, whatever the test does."""
    command = [*wrapped, *_command(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            yield Supervisor(process)
        finally:
            process.kill()
            gone(data_dir)
            for left in Path("/tmp").glob(DataFolder(data_dir).sockets(0).name.replace("-0-", "-*-")):
                remove_folder(left)


def as_nobody() -> tuple[str, ...]:
    """Wraps a command so that root runs it as an ordinary user, who can read the interpreter anywhere."""
    user = ("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--pdeathsig", "KILL")
    return ("setpriv", *user, "--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")


@contextmanager
def copied(folder: Path, to: Path) -> Iterator[Path]:
    """The folder as it is, with owners and modes; 46 MB, so it is removed at the end."""
    subprocess.run(["cp", "-a", str(folder), str(to)], check=True)
    try:
        yield to
    finally:
        remove_folder(to)


def servers(data_dir: Path) -> list[psutil.Process]:
    return leftovers.processes(data_dir / "postgres", DataFolder(data_dir).sockets(0).name.split("-")[-1])


def postmaster(data_dir: Path) -> psutil.Process:
    found = PidFile.read(data_dir / "postgres")
    assert found is not None
    return psutil.Process(found.pid)


def gone(data_dir: Path, within: float = 10) -> None:
    """Waits for the end of all of the database's processes."""
    deadline = time.monotonic() + within
    while alive := servers(data_dir):
        assert time.monotonic() < deadline, alive
        psutil.wait_procs(alive, timeout=0.05)


def nothing_is_left(data_dir: Path, url: str) -> None:
    assert servers(data_dir) == []
    assert not (data_dir / "passerelle.lock").exists()
    assert not sockets(url).exists()


def sockets(url: str) -> Path:
    """The folder of the socket in a database's address."""
    return Path(url.partition("?host=")[2].partition("&")[0])


async def ask(url: str, question: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def until(condition: Callable[[], object]) -> None:
    """Waits for something that another process does; pytest's time limit ends it."""
    while not condition():  # noqa: ASYNC110 - another process sets no event
        await asyncio.sleep(0.001)


async def commit_until_cut(url: str, acknowledged: list[int], enough: asyncio.Event) -> None:
    """Counts upwards in table `counted`, one commit each, until the connection breaks; 200 are enough."""
    connection = await asyncpg.connect(url)
    try:
        while True:
            number = len(acknowledged) + 1
            await connection.execute("INSERT INTO counted VALUES ($1)", number)
            acknowledged.append(number)
            if number == 200:
                enough.set()
    except CUT:
        return
    finally:
        connection.terminate()


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[str]:
    database = EmbeddedPostgres(data_dir)
    try:
        yield await database.start()
    finally:
        await database.stop()


@cache
def seed(session: Path) -> Path:
    """A data folder with a database that was made and stopped; made once, for all tests to copy."""
    data_dir = passable(session) / "embedded-seed"
    with supervisor(data_dir) as first:
        first.ready()
        assert first.end(signal.SIGTERM) == 0
    return data_dir
