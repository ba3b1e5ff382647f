"""What every test may use: a PostgreSQL of its own for each test process, and migrated databases in it."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings

from passerelle.dev.postgres import EmbeddedPostgres, options
from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.migrations.schema import migrate
from tests.databases import named, scratch
from tests.partitioned import migrate_partitioned
from tests.passable import passable

TEMPLATE = "passerelle_template"
ROOM = 4 * 2**30
"""Bytes that must be free in memory for PostgreSQL to lie there: its log alone may take one GiB."""

# A loaded machine is no fault of the code: examples are bounded by their number, not by the clock.
settings.register_profile("passerelle", deadline=None)
settings.load_profile("passerelle")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """As root, temporary folders of this session alone: each session closes those that sessions share."""
    if os.geteuid() == 0 and config.option.basetemp is None:
        folder = tempfile.mkdtemp(prefix="passerelle-tests-")
        config.option.basetemp = Path(folder) / "pytest"
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A real PostgreSQL: the embedded one, or the one that PASSERELLE_TEST_DATABASE_URL names."""
    given = os.environ.get("PASSERELLE_TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = _in_memory() or passable(tmp_path_factory.mktemp("postgres"))
    postgres = EmbeddedPostgres(folder)
    with pytest.MonkeyPatch.context() as patch:
        # A database for each test, a second of a disk's time each; the tests of crashes have servers of their own.
        patch.setattr(options, "SETTINGS", {**options.SETTINGS, "fsync": "off", "full_page_writes": "off"})
        url = await postgres.start()
    yield url
    await postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _in_memory() -> Path | None:
    """A folder that is no disk's, where there is room: a database of 900 files is copied in a third of the time."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free < ROOM:
        return None
    folder = Path(tempfile.mkdtemp(prefix="passerelle-tests-", dir=memory))
    folder.chmod(0o711)  # PostgreSQL that root starts runs as another user, who must get there
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(server_url: str) -> str:
    """A migrated, empty database that others are copied from: copying takes milliseconds.

    With PASSERELLE_TEST_PARTITIONED, each table of workspaces has partitions by workspace: for a look at all tests.
    """
    name = f"{TEMPLATE}_{os.getpid()}"
    connection = await asyncpg.connect(server_url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    make = migrate_partitioned if os.environ.get("PASSERELLE_TEST_PARTITIONED") else migrate
    await make(named(server_url, name), role="passerelle_app")
    return name


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(server_url: str, template: str) -> AsyncIterator[str]:
    """A migrated, empty database for one test."""
    async with scratch(server_url, template) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on the test's database."""
    database = await Database.open(database_url, size=8)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def workspace_id(database: Database) -> UUID:
    """A workspace."""
    workspace_id = new_id()
    async with database.workspace(workspace_id) as connection:
        await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'test')", workspace_id)
    return workspace_id


def pytest_collection_finish() -> None:
    """What was imported stays: the collector of garbage need not look at it again and again, as in `serve`."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)
