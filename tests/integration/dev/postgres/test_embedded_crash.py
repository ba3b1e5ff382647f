"""Nothing acknowledged is lost and nothing is left behind, however the embedded PostgreSQL ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from passerelle.dev.postgres import EmbeddedError, EmbeddedPostgres, launcher
from passerelle.dev.postgres.accounts import choose_account
from passerelle.dev.postgres.folder import DataFolder, FolderLock, make_socket_folder
from passerelle.dev.postgres.log import LogFile
from passerelle.dev.postgres.programs import Programs, installation
from passerelle.dev.postgres.server import PostgresServer
from tests.integration.dev.postgres.embedded_harness import (
    CUT,
    Supervisor,
    ask,
    commit_until_cut,
    copied,
    gone,
    nothing_is_left,
    postmaster,
    running,
    seed,
    servers,
    supervisor,
    until,
)


@pytest.fixture
def data_dir(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Path]:
    """A folder with a database that was stopped."""
    with copied(seed(tmp_path_factory.getbasetemp()), tmp_path / "data") as copy:
        yield copy


def kill_supervisor(supervised: Supervisor, data_dir: Path) -> None:
    supervised.end(signal.SIGKILL)


def kill_both(supervised: Supervisor, data_dir: Path) -> None:
    server = postmaster(data_dir)
    supervised.process.kill()
    server.kill()


def cut_the_power(supervised: Supervisor, data_dir: Path) -> None:
    victims = servers(data_dir)
    supervised.process.kill()
    for victim in victims:
        victim.kill()


@pytest.mark.parametrize("disaster", [kill_supervisor, kill_both, cut_the_power])
async def test_all_acknowledged_commits_survive(data_dir: Path, disaster: Callable[[Supervisor, Path], None]) -> None:
    acknowledged: list[int] = []
    with supervisor(data_dir) as supervised:
        url = supervised.ready()
        await ask(url, "CREATE TABLE counted (number bigint)")
        enough = asyncio.Event()
        writing = asyncio.create_task(commit_until_cut(url, acknowledged, enough))
        await enough.wait()
        disaster(supervised, data_dir)
        await asyncio.wait_for(writing, 10)
        gone(data_dir, within=5)  # by itself
    async with running(data_dir) as again:
        assert again == url
        kept = await ask(url, "SELECT array_agg(number ORDER BY number) FROM counted")
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) <= len(acknowledged) + 1  # the one that was cut off


async def test_a_start_does_not_wait_for_the_earlier_one_to_be_gone(data_dir: Path) -> None:
    with supervisor(data_dir) as first:
        await ask(first.ready(), "CREATE TABLE kept AS SELECT 42 AS answer")
        first.process.kill()
        with supervisor(data_dir) as second:
            assert await ask(second.ready(), "SELECT answer FROM kept") == 42


async def test_watch_starts_a_killed_server_again_at_the_same_address(data_dir: Path) -> None:
    database = EmbeddedPostgres(data_dir)
    url = await database.start()
    watching = asyncio.create_task(database.watch())
    for _ in range(2):
        dead = postmaster(data_dir)
        dead.kill()
        while not await answers(url):
            assert not watching.done()
        assert postmaster(data_dir) != dead
    await database.stop()
    await watching
    nothing_is_left(data_dir, url)


async def answers(url: str) -> bool:
    try:
        return await ask(url, "SELECT true") is True
    except CUT:
        await asyncio.sleep(0.01)
        return False


async def test_orphans_of_a_killed_server_are_ended(data_dir: Path) -> None:
    """A backend in a long computation does not notice that its server is gone, and blocks the next one."""
    async with running(data_dir) as url:
        busy = await asyncpg.connect(url)
        pid = await busy.fetchval("SELECT pg_backend_pid()")
        numbers = "generate_series(1, 100000)"
        computing = asyncio.create_task(busy.execute(f"SELECT count(*) FROM {numbers} a, {numbers} b"))
        while await ask(url, f"SELECT state FROM pg_stat_activity WHERE pid = {pid}") != "active":
            pass
        postmaster(data_dir).kill()
    with pytest.raises(CUT):
        await computing
    assert servers(data_dir) == []


async def test_watch_gives_up_a_server_that_does_not_live(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerelle.dev.postgres.restarts.DELAYS", (0.0,))
    monkeypatch.setattr("passerelle.dev.postgres.restarts.ATTEMPTS", 2)
    database = EmbeddedPostgres(data_dir)
    url = await database.start()
    (data_dir / "postgres" / "global" / "pg_control").unlink()
    postmaster(data_dir).kill()
    with pytest.raises(EmbeddedError, match=r"2 attempts to start it again failed.*could not find the database system"):
        await database.watch()
    await database.stop()
    nothing_is_left(data_dir, url)


async def test_stop_does_not_wait_for_a_restart(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerelle.dev.postgres.restarts.DELAYS", (3600.0,))
    database = EmbeddedPostgres(data_dir)
    url = await database.start()
    watching = asyncio.create_task(database.watch())
    postmaster(data_dir).kill()
    gone(data_dir)
    await database.stop()
    await asyncio.wait_for(watching, 5)
    nothing_is_left(data_dir, url)


def programs(data_dir: Path) -> Programs:
    return Programs(installation(), choose_account(os.geteuid(), data_dir / "postgres"))


async def test_a_server_that_nobody_watches_is_shut_down_first(data_dir: Path) -> None:
    folder, ours = DataFolder(data_dir), programs(data_dir)
    sockets = folder.sockets(ours.account.uid if ours.account else os.geteuid())
    make_socket_folder(sockets, ours.account)
    stale = await PostgresServer.launch(ours, folder.cluster, sockets, LogFile(folder.log))
    await stale.until_ready()
    async with running(data_dir) as url:
        assert await ask(url, "SELECT 1") == 1
        await stale.until_dead()
        assert stale.returncode == 0


@contextmanager
def stranger(data_dir: Path, folder: Path) -> Iterator[psutil.Popen]:
    """A process of PostgreSQL's user that is called postgres and is none of ours.

    Of the same user, because PostgreSQL itself is not fooled by others.
    """
    account = programs(data_dir).account
    uid, gid = (account.uid, account.gid) if account else (None, None)
    program = str(shutil.copy("/bin/sleep", folder / "postgres"))
    order = launcher.LaunchOrder(os.getpid(), signal.SIGKILL, uid, gid, (program,))
    command = ("-I", "-S", launcher.__file__, order.json(), program, "3600")
    with psutil.Popen([sys.executable, *command]) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("state", ["alive", "zombie"])
async def test_a_process_that_got_the_number_of_a_dead_server_is_let_alone(
    data_dir: Path, tmp_path: Path, state: str
) -> None:
    with stranger(data_dir, tmp_path) as other:
        await until(lambda: other.name() == "postgres")
        if state == "zombie":
            other.send_signal(signal.SIGKILL)
            await until(lambda: other.status() == psutil.STATUS_ZOMBIE)
        lock = data_dir / "postgres" / "postmaster.pid"
        lock.write_text(f"{other.pid}\n{lock.parent}\n1\n5432\n\n\n\nready\n")
        async with running(data_dir) as url:
            assert await ask(url, "SELECT 1") == 1
        assert state == "zombie" or other.poll() is None


def test_a_launcher_whose_supervisor_died_first_starts_nothing(tmp_path: Path) -> None:
    order = launcher.LaunchOrder(os.getppid(), signal.SIGKILL, None, None, ())
    command = ("-I", "-S", launcher.__file__, order.json(), "/bin/touch", str(tmp_path / "started"))
    assert subprocess.run([sys.executable, *command], check=False).returncode == launcher.REFUSED
    assert list(tmp_path.iterdir()) == []


def test_a_forked_child_does_not_keep_the_lock_of_its_dead_parent(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from passerelle.dev.postgres.folder import FolderLock\n"
        "FolderLock(Path(sys.argv[1]))\n"
        "ready, tell = os.pipe(); child = os.fork()\n"
        "if child == 0: os.write(tell, b'.'); signal.pause()\n"
        "os.read(ready, 1)  # the child has let go of what it inherited\n"
        "print(child, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.wait()
        try:
            FolderLock(tmp_path / "lock").release()
        finally:
            os.kill(child, signal.SIGKILL)
