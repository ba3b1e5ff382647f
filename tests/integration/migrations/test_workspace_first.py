"""Keys move to begin with the workspace while an installation runs: what is used stays, and a crash costs nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from passerelle.kit.ids import new_id
from passerelle.migrations.catalogue import catalogue
from passerelle.migrations.release import THIS
from passerelle.migrations.schema import migrate
from tests.integration.migrations.releases import up_to

INDEXES = next(one for one in THIS.migrations if one.name == "0281_workspace_first_indexes")
BEFORE = next(one for one in THIS.migrations if one.name == "0280_records_by_change")
WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'step_run'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted)"
HALF_DONE = (
    "ALTER TABLE api_key_use ADD CONSTRAINT api_key_use_key_fkey "
    "FOREIGN KEY (workspace_id, key_id) REFERENCES api_key (workspace_id, id) ON DELETE CASCADE NOT VALID",
    "ALTER TABLE step_run DROP CONSTRAINT step_run_pkey, ADD CONSTRAINT step_run_pkey PRIMARY KEY USING INDEX step_run_key",
)
"""What has been committed when the process dies: one foreign key that was not checked yet, one primary key."""
OF_THE_RELEASE_BEFORE = (
    "INSERT INTO webhook_endpoint (workspace_id, id, url, description, events, api_version, secret, headers, created_at, "
    "updated_at) VALUES ($1, $2, 'https://example.com', '', '{}', 2, '', '', now(), now()) ON CONFLICT (id) DO NOTHING",
    "INSERT INTO webhook_tally AS t (workspace_id, endpoint_id, succeeded, failed) VALUES ($1, $2, 1, 0) "
    "ON CONFLICT (endpoint_id) DO UPDATE SET succeeded = t.succeeded + 1",
    "INSERT INTO webhook_delivery (workspace_id, id, endpoint_id, transaction, event_id, event_type, next_attempt_at, "
    "created_at) VALUES ($1, $2, $2, pg_current_xact_id(), $2, 'x', now(), now()) "
    "ON CONFLICT (endpoint_id, event_id) DO UPDATE SET tries = 0",
    "INSERT INTO api_key (workspace_id, id, kind, name, secret_hash) VALUES ($1, $2, 'pair', 'x', 'x') ON CONFLICT DO NOTHING",
    "INSERT INTO api_key_use (workspace_id, key_id, last_used_at) VALUES ($1, $2, now()) "
    "ON CONFLICT (key_id) DO UPDATE SET last_used_at = excluded.last_used_at",
)


async def test_statements_of_the_release_before_find_the_index_that_they_name(database_url: str) -> None:
    workspace_id, made = new_id(), new_id()
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'test')", workspace_id)
    for statement in OF_THE_RELEASE_BEFORE:
        await connection.execute(statement, workspace_id, made)
        await connection.execute(statement, workspace_id, made)
    assert await connection.fetchval("SELECT succeeded FROM webhook_tally") == 2
    assert await connection.fetchval("SELECT count(*) FROM webhook_delivery") == 1
    await connection.close()


async def test_a_move_that_died_half_way_is_finished(empty_url: str, database_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, up_to(tmp_path / "indexes", INDEXES), role="passerelle_app")
    died, whole = await asyncpg.connect(empty_url), await asyncpg.connect(database_url)
    for statement in HALF_DONE:
        await died.execute(statement)
    await migrate(empty_url, role="passerelle_app")
    assert await catalogue(died, "public") == await catalogue(whole, "public")
    assert await died.fetchval("SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'")
    await died.close()
    await whole.close()


async def test_a_long_transaction_holds_up_the_move_and_nobody_else(empty_url: str, tmp_path: Path) -> None:
    """Whoever waits for a table without an end holds up all who come behind: the move gives up after a second."""
    await migrate(empty_url, up_to(tmp_path / "before", BEFORE), role="passerelle_app")
    dump, reader, watch = [await asyncpg.connect(empty_url) for _ in range(3)]
    held = dump.transaction()
    await held.start()
    await dump.execute("SELECT FROM step_run")
    moving = asyncio.create_task(migrate(empty_url, role="passerelle_app"))
    async with asyncio.timeout(60):
        for _ in range(2):
            while not await watch.fetchval(WAITS):
                assert not moving.done(), "it had to wait for the transaction"
            await reader.fetchval("SELECT count(*) FROM step_run", timeout=3)
    await held.rollback()
    await moving
    for connection in (dump, reader, watch):
        await connection.close()


@pytest.mark.parametrize("table", ["webhook_tally", "webhook_cursor", "webhook_delivery", "api_key_use"])
async def test_what_belongs_to_one_workspace_cannot_hang_on_something_of_another(database_url: str, table: str) -> None:
    """The key that begins with the workspace says so itself: the one before had to believe the code."""
    mine, other, made = new_id(), new_id(), new_id()
    connection = await asyncpg.connect(database_url)
    for workspace_id in (mine, other):
        await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'test')", workspace_id)
    await connection.execute(OF_THE_RELEASE_BEFORE[0], mine, made)
    await connection.execute(OF_THE_RELEASE_BEFORE[3], mine, made)
    statements = [one for one in OF_THE_RELEASE_BEFORE if f"INTO {table} " in one]
    statements = statements or ["INSERT INTO webhook_cursor (workspace_id, endpoint_id) VALUES ($1, $2)"]
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute(statements[0], other, made)
    await connection.close()
