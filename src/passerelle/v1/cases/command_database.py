"""The database of a command that works on cases: the installation's, or that of a running `passerelle dev`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from passerelle.app.settings import Settings
from passerelle.definitions.facts import CASES
from passerelle.dev.folder import DEMO_FILE
from passerelle.dev.postgres import EmbeddedError, EmbeddedPostgres
from passerelle.kit.address import why_refused
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import CommandError, PasserelleError
from passerelle.kit.ids import parse_id
from passerelle.migrations import schema
from passerelle.tables.models import Table
from passerelle.tables.service import Tables

_CONNECTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Where:
    """Which database, and which workspace of it."""

    url: str
    workspace_id: UUID
    files_url: str


def where(settings: Settings, workspace_id: UUID | None, data_dir: Path) -> Where:
    """The workspace that is named, in the installation's database; else the demo of the `passerelle dev` there.

    Raises `CommandError`.
    """
    if settings.address is not None:
        if workspace_id is None:
            raise CommandError("name the workspace whose cases are meant: --workspace")
        return Where(settings.address, workspace_id, settings.files_url)
    try:
        url = EmbeddedPostgres.address_of(data_dir)
        demo = json.loads((data_dir / DEMO_FILE).read_text())["workspaceId"]
    except (EmbeddedError, OSError, ValueError, KeyError) as error:
        raise CommandError(
            f"set PASSERELLE_DATABASE_URL, or give the --data-dir of a running `passerelle dev` ({error})"
        ) from None
    files = settings.files_url if "files_url" in settings.model_fields_set else str(data_dir / "files")
    return Where(url, workspace_id or parse_id(demo) or UUID(int=0), files)


@asynccontextmanager
async def opened(place: Where) -> AsyncIterator[Database]:
    """A small pool on it. Raises `CommandError` where nothing answers, and for a workspace that is not there."""
    try:
        await schema.require_current(place.url)
        database = await Database.open(place.url, size=_CONNECTIONS, name="passerelle cases")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise CommandError(f"the database cannot be used: {why_refused(error)}") from None
    try:
        async with database.workspace(place.workspace_id) as connection:
            if not await connection.fetchval(
                "SELECT EXISTS (SELECT FROM workspace WHERE workspace_id = $1)", place.workspace_id
            ):
                raise CommandError(f"there is no workspace {place.workspace_id}")
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def alone(database: Database, workspace_id: UUID) -> AsyncIterator[Connection]:
    """Nobody else moves or imports cases of the workspace meanwhile. Raises `CommandError` where somebody does.

    The lock goes with the transaction: a process that is killed leaves none behind.
    """
    name = f"passerelle.v1.cases {workspace_id}"
    async with database.transaction(workspace_id) as connection:
        await connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", name):
            raise CommandError("another process is moving or importing cases of this workspace: wait for it to end")
        yield connection


async def the_tables(tables: Tables, workspace_id: UUID, to: str | None) -> tuple[Table, Table | None]:
    """The table of cases, and the one that they go to. Raises `CommandError`."""
    source = await tables.find_now(workspace_id, CASES)
    if to is None:
        return source, None
    try:
        target = await tables.find_now(workspace_id, to)
    except PasserelleError as error:
        raise CommandError(error.problems[0].message) from None
    if target.id == source.id:
        raise CommandError(f"--to: cases are in {to} already; name a table of your own")
    return source, target
