"""Bringing a database to this release, and telling when it cannot be used.

Alembic and SQLAlchemy are loaded only to migrate: they take longer than everything else that a process loads.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncpg

from passerelle.kit import jobs
from passerelle.kit.connections import connect, connect_as, is_pooled
from passerelle.migrations import applied, database_functions
from passerelle.migrations.applied import SchemaComparison, SchemaError
from passerelle.migrations.release import FOLDER, THIS, Release
from passerelle.migrations.roles import RoleConnection, choose_role, make_role, make_schema

if TYPE_CHECKING:
    from sqlalchemy import Connection

LOCK_TIMEOUT: Final = "1s"
"""While a migration waits for a lock, everything that comes after it waits too."""
TRIES: Final = 60
"""How often locks are waited for, a second apart. A lock that is held longer is somebody's forgotten transaction."""

TURN: Final = 600
"""Seconds that a migration waits for another process that migrates the same database."""


async def migrate(url: str, release: Release = THIS, role: str | None = None) -> list[str]:
    """Bring the database at `url` to this release. Returns what was applied, as an operator reads it.

    Several processes may call this at once: they take turns. A database that a newer release has migrated is left as
    it is, if this release may work with it. Raises `SchemaError` where it may not, where the migrations that were
    applied are no beginning of this release's, where locks cannot be had, and where the role of the application
    (`role`, else one named after the database) cannot be made.
    """
    from passerelle.migrations import former  # noqa: PLC0415 - see the module's first lines

    async with _alone(url, role) as connection:
        done: list[str] = []
        await _patiently(lambda: _take_over(connection, release, done))
        comparison = SchemaComparison(release, await applied.read(connection) or ())
        comparison.require_usable()
        if comparison.is_of_a_newer_release:
            return done
        to_do = comparison.to_do
        if release.queue not in {one.name for one in comparison.applied if one.kind == "queue"}:
            await _patiently(lambda: _install_queue(connection, release))
        if comparison.missing:
            await _patiently(lambda: _upgrade(url, release, connection.role))
        await _patiently(lambda: _apply_functions(connection, release))
        if await former.is_former(connection):
            await former.furnish_workspaces(connection)
    return done + to_do


async def newer(url: str, release: Release = THIS) -> str | None:
    """What newer release has migrated the database, so that `migrate` leaves it as it is; None: none has."""
    return (await _compared(url, release)).newer


async def other_functions(url: str, release: Release = THIS) -> str | None:
    """Whose functions the database has, where they are not this release's; None: they are.

    A process starts all the same: in a rolling upgrade one of the release before must, and of two builds of one version
    nobody can tell which one is newer.
    """
    return (await _compared(url, release)).other_functions


async def require_current(url: str, release: Release = THIS) -> None:
    """Raises `SchemaError` unless a process of this release may start: what is missing or unknown is named."""
    (await _compared(url, release)).require_current()


async def _compared(url: str, release: Release) -> SchemaComparison:
    """The database beside the release. Raises `SchemaError` where it was never migrated since the former chain."""
    connection = await connect(url, "passerelle start")
    try:
        async with connection.within():
            rows = await applied.read(connection)
            former = rows is None and await connection.fetchval("SELECT to_regclass('alembic_version')")
    finally:
        await connection.close()
    if former:
        raise SchemaError("the database was made by an older version: run `passerelle migrate`")
    return SchemaComparison(release, rows or ())


@asynccontextmanager
async def _alone(url: str, role: str | None) -> AsyncIterator[RoleConnection]:
    """A connection under whose lock nobody else migrates the database."""
    connection = await _connect(url)
    try:
        if await is_pooled(connection):
            raise SchemaError(
                "migrations cannot go through a pooler: set PASSERELLE_DATABASE_DIRECT_URL to PostgreSQL's own address"
            )
        # Asked again and again: a statement that waits for the lock would be waited for by an index that is being made.
        for _ in range(TURN):
            if await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('passerelle.migrate'))"):
                break
            await asyncio.sleep(1)
        else:
            raise SchemaError(
                f"somebody else has been migrating the database for {TURN} seconds: wait, and run it again"
            )
        await make_schema(connection)
        connection.role = await choose_role(connection, role)
        await make_role(connection, connection.role)
        yield connection
    finally:
        await connection.close()


async def _take_over(connection: asyncpg.Connection, release: Release, done: list[str]) -> None:
    """Prepare an empty database, or one of the former chain; `done` gets what was made in that."""
    from passerelle.migrations import former  # noqa: PLC0415 - see the module's first lines

    async with connection.transaction():
        new = await applied.read(connection) is None
        await applied.prepare(connection)
        if new and await former.is_former(connection):
            done += ["what was there as the baseline", *await former.take_over(connection, release)]


async def _install_queue(connection: asyncpg.Connection, release: Release) -> None:
    """PgQueuer changes one table after another: in no transaction, so that it never holds two."""
    await jobs.install(connection)
    await jobs.grant(connection)
    await applied.write(connection, "queue", release.queue, release)


async def _apply_functions(connection: asyncpg.Connection, release: Release) -> None:
    await database_functions.apply(connection, release)
    await applied.write(connection, "functions", release.functions_digest, release)


async def _patiently(attempt: Callable[[], Awaitable[None]]) -> None:
    """Try again while somebody holds a lock that is needed. What was committed meanwhile stays."""
    for tried in range(1, TRIES + 1):
        try:
            await attempt()
        except Exception as error:
            if not _is_about_locks(error):
                raise
            if tried == TRIES:
                raise SchemaError(
                    f"the database could not be migrated, because somebody holds a lock on it: {error}. Look for "
                    "transactions that have been open for long (pg_stat_activity), end them, and run it again"
                ) from None
            await asyncio.sleep(1)
        else:
            return


def _is_about_locks(error: BaseException | None) -> bool:
    """Whether it, or what it was made from, is that a lock could not be had."""
    while error is not None:
        if isinstance(error, asyncpg.LockNotAvailableError | asyncpg.DeadlockDetectedError):
            return True
        error = error.__cause__
    return False


async def _connect(url: str, role: str | None = None) -> RoleConnection:
    """A session whose statements wait only so long for locks.

    That is set before Alembic sees it: a statement would begin a transaction, which Alembic would take for its own.
    """
    # The address is read where all others are: SQLAlchemy reads fewer of its parameters.
    connection = await connect_as(RoleConnection, url, "passerelle migrate")
    connection.role = role or connection.role
    await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'; SET search_path = {connection.schema}")
    return connection


async def _upgrade(url: str, release: Release, role: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - see the module's first lines

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: _connect(url, role))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_to_head, release)
    finally:
        await engine.dispose()


def _to_head(connection: Connection, release: Release) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's first lines
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("version_locations", os.pathsep.join(map(str, release.versions)))
    config.set_main_option("path_separator", "os")
    config.attributes.update(
        connection=connection, release=release, version_table=applied.VERSION_TABLE, note=applied.INSERT
    )
    command.upgrade(config, "head")
