"""The embedded PostgreSQL from its first start to its end, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from passerelle.dev.postgres import EmbeddedError, EmbeddedPostgres
from passerelle.dev.postgres.folder import FolderLock
from tests.integration.dev.postgres.embedded_harness import (
    as_nobody,
    ask,
    copied,
    gone,
    nothing_is_left,
    postmaster,
    refusal,
    running,
    seed,
    servers,
    sockets,
    supervisor,
    until,
)


@pytest.fixture
def data_dir(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Path]:
    """A folder with a database that was stopped."""
    with copied(seed(tmp_path_factory.getbasetemp()), tmp_path / "data") as copy:
        yield copy


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_new_database_is_private_and_set_up_for_the_product(tmp_path: Path) -> None:
    # Far longer than a socket's path may be, with all that a shell or a URL would trip over.
    deep = tmp_path.joinpath("a folder's name & 100% żółć", *["deep" * 10] * 5)
    async with running(deep) as url:
        assert mode(deep) == (0o710 if os.geteuid() == 0 else 0o700)
        assert mode(deep / "postgres") == mode(sockets(url)) == 0o700
        assert mode(deep / "postgres.password") == mode(deep / "postgres.log") == 0o600
        server = postmaster(deep)
        assert 0 not in server.uids()
        said = (deep / "postgres.log").read_text()
        assert said.count("listening on") == said.count("listening on Unix socket") == 1
        # Ctrl-C in the terminal goes to the supervisor alone, which stops the database last.
        assert os.getsid(server.pid) == server.pid
        connection = await asyncpg.connect(url)
        role = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        assert [tuple(row) for row in await connection.fetch(role)] == [(False, True, True)]
        database = (
            "SELECT datname, pg_encoding_to_char(encoding), datlocprovider, datlocale FROM pg_database "
            "WHERE datname = current_database() AND pg_get_userbyid(datdba) = current_user"
        )
        assert [tuple(row) for row in await connection.fetch(database)] == [("passerelle", "UTF8", b"b", "C.UTF-8")]
        for setting, value in {"synchronous_commit": "on", "fsync": "on", "TimeZone": "UTC"}.items():
            assert await connection.fetchval("SELECT current_setting($1)", setting) == value
        await connection.close()
        await refuses_strangers(url)
    nothing_is_left(deep, url)


async def refuses_strangers(url: str) -> None:
    """Even where only we reach the socket, a password is asked for, and nobody becomes superuser."""
    password = urlsplit(url).password
    assert password
    for stranger in (
        url.replace(password, "guess"),
        url.replace(password, ""),
        url.replace("passerelle:", "postgres:", 1),
    ):
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(stranger)


async def test_stop_leaves_nothing_and_a_start_right_after_finds_all(data_dir: Path) -> None:
    database = EmbeddedPostgres(data_dir)
    url = await database.start()
    await ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    watching = asyncio.create_task(database.watch())
    idle = await asyncpg.connect(url)  # must not hold the stop up
    await database.stop()
    await asyncio.wait_for(watching, 5)
    idle.terminate()
    nothing_is_left(data_dir, url)
    assert await database.start() == url == EmbeddedPostgres.address_of(data_dir)
    assert await ask(url, "SELECT answer FROM kept") == 42
    await database.stop()
    await database.stop()
    nothing_is_left(data_dir, url)


async def test_a_second_supervisor_is_refused_at_once_and_harms_nothing(data_dir: Path) -> None:
    async with running(data_dir) as url:
        assert refusal(data_dir) == (
            f"{data_dir} is in use by process {os.getpid()}: stop it first, or choose another folder with --data-dir"
        )
        with pytest.raises(EmbeddedError, match="in use by process"):
            await EmbeddedPostgres(data_dir).start()
        assert await ask(url, "SELECT 1") == 1


async def test_a_lost_password_is_replaced_and_a_wrong_one_explained(data_dir: Path) -> None:
    password = data_dir / "postgres.password"
    password.write_text("not the database's")
    with pytest.raises(EmbeddedError, match=r"postgres\.password: delete the file and start again"):
        await EmbeddedPostgres(data_dir).start()
    password.unlink()
    async with running(data_dir) as url:
        assert await ask(url, "SELECT 1") == 1
    assert mode(password) == 0o600


async def test_making_the_database_may_be_cut_at_any_moment(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with supervisor(data_dir) as first:
        await until(lambda: list(data_dir.glob("postgres.init-*/cluster/global/pg_control")))
        first.end(signal.SIGKILL)
    assert not (data_dir / "postgres").exists()
    async with running(data_dir) as url:
        assert await ask(url, "SELECT 1") == 1
    assert [path.name for path in data_dir.iterdir() if "init" in path.name] == []


async def test_a_start_that_is_given_up_leaves_nothing(data_dir: Path) -> None:
    database = EmbeddedPostgres(data_dir)
    starting = asyncio.create_task(database.start())
    await until(lambda: servers(data_dir))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert servers(data_dir) == []
    FolderLock(data_dir / "passerelle.lock").release()


async def test_a_server_that_cannot_start_is_quoted(data_dir: Path) -> None:
    (data_dir / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedError, match="could not find the database system") as caught:
        await EmbeddedPostgres(data_dir).start()
    assert "\n" not in str(caught.value)
    gone(data_dir)
    FolderLock(data_dir / "passerelle.lock").release()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda cluster: (cluster / "PG_VERSION").write_text("17\n"), "was written by PostgreSQL 17"),
        (lambda cluster: (cluster / "PG_VERSION").unlink(), "is not PostgreSQL's data"),
    ],
)
async def test_data_of_something_else_is_not_touched(data_dir: Path, spoil: object, sentence: str) -> None:
    assert callable(spoil)
    spoil(data_dir / "postgres")
    before = sorted(os.listdir(data_dir / "postgres"))
    with pytest.raises(EmbeddedError, match=f"{sentence}.*--data-dir"):
        await EmbeddedPostgres(data_dir).start()
    assert sorted(os.listdir(data_dir / "postgres")) == before


def test_the_address_of_nothing_is_explained(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="holds no database: start `passerelle dev` on it first"):
        EmbeddedPostgres.address_of(tmp_path)


async def test_a_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match=r"Cannot use .*file as the data folder .*--data-dir"):
        await EmbeddedPostgres(tmp_path / "file").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
class TestOrdinaryUser:
    """Supervised by `nobody`, who cannot do what root can."""

    async def test_runs_as_itself(self, nobodys: Path) -> None:
        data_dir = nobodys / "data"
        with supervisor(data_dir, as_nobody()) as ordinary:
            assert await ask(ordinary.ready(), "SELECT 1") == 1
            assert {process.uids().real for process in servers(data_dir)} == {65534}
            assert ordinary.end(signal.SIGTERM) == 0
        # Root carries on what an ordinary user began, as that user.
        async with running(data_dir):
            assert postmaster(data_dir).uids().real == 65534

    def test_a_folder_that_is_not_writable_is_explained(self, nobodys: Path) -> None:
        closed = nobodys / "closed"
        closed.mkdir(mode=0o755)
        for folder in (closed, closed / "new"):
            sentence = refusal(folder, as_nobody())
            assert sentence.startswith(f"Cannot use {folder} as the data folder (")
            assert "Permission denied" in sentence

    def test_data_of_another_user_is_explained(self, data_dir: Path, nobodys: Path) -> None:
        data_dir = data_dir.rename(nobodys / "data")
        subprocess.run(["chown", "nobody", str(data_dir)], check=True)
        assert "start Passerelle as its owner" in refusal(data_dir, as_nobody())


@pytest.fixture
def nobodys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where `nobody` may work."""
    folder = tmp_path_factory.mktemp("nobodys")
    folder.chmod(0o777)
    return folder
