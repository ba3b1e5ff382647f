"""Bringing a database to the newest schema, and telling when it cannot be used.

Alembic and SQLAlchemy are loaded only to migrate: they take longer than everything else that a process loads.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg

from passerelle.errors import CommandError
from passerelle.kit import jobs
from passerelle.migrations.order import numbers

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"


class SchemaError(CommandError):
    """The database cannot be used; one sentence says what to do."""


async def migrate(url: str) -> list[str]:
    """Bring the database at `url` to the newest schema. Returns the migrations that were applied.

    Several processes may call this at once: they take turns. Raises `SchemaError` for a newer database.
    """
    lock = await asyncpg.connect(url)
    try:
        await lock.execute("SELECT pg_advisory_lock(hashtext('passerelle.migrate'))")
        current = await _current(lock)
        pending = [revision for revision in numbers() if current is None or revision > current]
        if not pending and current is not None:
            return []
        await jobs.install(lock)
        await _upgrade(url)
        await jobs.grant(lock)
    finally:
        await lock.close()
    return pending


async def require_current(url: str) -> None:
    """Raises `SchemaError` unless the database has exactly the schema of this release."""
    connection = await asyncpg.connect(url)
    try:
        current = await _current(connection)
    finally:
        await connection.close()
    if current != numbers()[-1]:
        raise SchemaError("the database's schema is older than this release: run `passerelle migrate`")


async def _current(connection: asyncpg.Connection) -> str | None:
    """The newest migration that the database has had; None for an empty one. Raises `SchemaError` for a newer one."""
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    current: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    if current is not None and current not in numbers():
        raise SchemaError(
            f"the database has the schema {current} of a newer release: install that release, or use another database"
        )
    return current


async def _upgrade(url: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - see the module's first lines

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_to_head)
            await connection.commit()
    finally:
        await engine.dispose()


def _to_head(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's first lines
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    connection.exec_driver_sql("SET lock_timeout = '10s'")
    command.upgrade(config, "head")
