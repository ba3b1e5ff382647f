"""A process that row-level security would not bind does not run, and says what to do."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from passerelle.kit import database as kit_database
from passerelle.kit.database import Database, Target
from passerelle.kit.errors import PasserelleError
from passerelle.kit.isolation import NotIsolatedError
from tests.integration.tenancy.conftest import Way


async def by_the_owner(database_url: str, *changes: str) -> None:
    """Changes by the tables' owner."""
    connection = await asyncpg.connect(database_url)
    for change in changes:
        await connection.execute(change)
    await connection.close()


async def refused(url: str) -> str:
    with pytest.raises(NotIsolatedError) as raised:
        await Database.open(url, size=2)
    return str(raised.value)


async def until(database: Database, *, ready: bool) -> None:
    """Wait for what readiness says."""
    async with asyncio.timeout(20):
        while (await database.answers() is None) is not ready:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_a_table_without_row_level_security_is_named(database_url: str, app_url: str) -> None:
    await by_the_owner(database_url, "ALTER TABLE record DISABLE ROW LEVEL SECURITY")
    assert "does not bind the role passerelle_app in record: " in await refused(app_url)


async def test_a_policy_that_somebody_added_is_noticed(database_url: str, app_url: str, workspace_id: UUID) -> None:
    await by_the_owner(database_url, "CREATE POLICY all_of_them ON workspace USING (true)")
    assert "sees rows of other workspaces" in await refused(app_url)


async def test_a_role_that_owns_a_table_is_not_bound_by_it(database_url: str, app_url: str) -> None:
    await by_the_owner(
        database_url,
        "GRANT CREATE ON SCHEMA public TO passerelle_app",
        "ALTER TABLE record_comment OWNER TO passerelle_app",
    )
    assert "record_comment" in await refused(app_url)


async def test_a_role_is_set_whatever_the_pooler_does_with_startup_parameters(
    database_url: str, app_url: str, workspace_id: UUID
) -> None:
    """`ALTER ROLE … SET role` and the like make no difference: each transaction sets its own."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER ROLE CURRENT_USER SET role = 'pg_monitor'")
    try:
        database = await Database.open(app_url, size=2)
        async with database.workspace(workspace_id) as serving:
            assert await serving.fetchval("SELECT count(*) FROM workspace") == 1
            assert await serving.fetchval("SELECT current_user") == "passerelle_app"
        await database.close()
    finally:
        await connection.execute("ALTER ROLE CURRENT_USER RESET role")
        await connection.close()


async def test_a_pooler_that_is_called_none_is_found_out(database_url: str, way: Way) -> None:
    """Settings of a session do not stay with the client through transaction pooling: nothing may rest on them."""
    url = way(database_url)
    database = await Database.open(Target(url, pooled="auto"), size=2)
    assert database.pooled == (url != database_url)
    assert (database.listens_at is None) == database.pooled
    await database.close()


async def test_a_proof_that_fails_later_stops_reading_and_writing(
    database_url: str, database: Database, workspace_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was right at the start may be changed by an administrator: the process looks again, and again."""
    monkeypatch.setattr(kit_database, "PROVED_EVERY", 0.01)
    proving = asyncio.create_task(database.keep_proving())
    assert await database.answers() is None
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE record DISABLE ROW LEVEL SECURITY")
    await until(database, ready=False)
    with pytest.raises(PasserelleError) as raised:
        async with database.workspace(uuid4()):
            raise AssertionError("nobody gets here")
    assert raised.value.problems[0].code == "DATABASE_NOT_ISOLATED"
    await connection.execute("ALTER TABLE record ENABLE ROW LEVEL SECURITY")
    await until(database, ready=True)
    async with database.workspace(workspace_id) as serving:
        assert await serving.fetchval("SELECT count(*) FROM workspace") == 1
    proving.cancel()
    await asyncio.gather(proving, return_exceptions=True)
    await connection.close()
