"""Functions are what their files say, after every `migrate`."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from passerelle.kit.database import Database
from passerelle.migrations.applied import SchemaError
from passerelle.migrations.release import THIS, Release
from passerelle.migrations.schema import migrate, newer, other_functions, require_current
from tests.integration.migrations.releases import with_more

ONE = "CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql AS $$ SELECT {} $$;\n"
TOLD = """
CREATE OR REPLACE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;

CREATE OR REPLACE TRIGGER told AFTER INSERT ON theme FOR EACH ROW EXECUTE FUNCTION told();
"""


async def value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_function_that_somebody_changed_is_as_in_its_file_again(database_url: str) -> None:
    was = await value(database_url, "SELECT pg_get_functiondef('execution_counts'::regproc)")
    await value(
        database_url,
        "CREATE OR REPLACE FUNCTION execution_counts() RETURNS TABLE (status text, executions bigint) LANGUAGE sql "
        "AS $$ SELECT 'none', 0::bigint $$",
    )
    await migrate(database_url)
    assert await value(database_url, "SELECT pg_get_functiondef('execution_counts'::regproc)") == was


async def test_a_changed_function_needs_no_migration_but_a_migrate(database_url: str, tmp_path: Path) -> None:
    await migrate(database_url, with_more(tmp_path / "a", functions={"one": ONE.format(1)}))
    newer = with_more(tmp_path / "b", functions={"one": ONE.format(2)}, version="9.1.0")
    with pytest.raises(SchemaError, match="lacks the functions of this release: run `passerelle migrate`"):
        await require_current(database_url, newer)
    await migrate(database_url, newer)
    await require_current(database_url, newer)
    await require_current(database_url)
    assert await migrate(database_url) == []
    assert await value(database_url, "SELECT one()") == 2


async def test_the_functions_of_another_build_of_the_same_version_are_told(database_url: str, tmp_path: Path) -> None:
    """Which of the two is newer nobody knows, so both start; and `migrate` says whose functions it has put there."""
    first, second = (with_more(tmp_path / str(n), functions={"one": ONE.format(n)}) for n in (1, 2))
    await migrate(database_url, first)
    assert await migrate(database_url, second) == ["the functions of this release"]
    assert await other_functions(database_url, second) is None
    assert (await other_functions(database_url, first) or "").startswith("those of another build of release 9.0.0, ")
    await require_current(database_url, first)
    (done,) = await migrate(database_url, first)
    assert done.startswith("the functions of this build, in place of those of another build of release 9.0.0, ")
    assert await value(database_url, "SELECT one()") == 1
    assert await migrate(database_url, first) == []
    assert await other_functions(database_url, second) is not None


async def test_an_older_release_is_told_that_a_newer_one_has_migrated(database_url: str, tmp_path: Path) -> None:
    assert await newer(database_url) is None
    release = with_more(tmp_path / "a", functions={"one": ONE.format(1)})
    await migrate(database_url, release)
    assert await newer(database_url) == "a newer release (9.0.0)"
    assert (await other_functions(database_url) or "").startswith("those of release 9.0.0, ")
    assert await newer(database_url, release) is None


async def test_a_function_is_dropped_by_the_release_after_the_one_that_let_go_of_it(
    database_url: str, tmp_path: Path
) -> None:
    """Processes of the release before may still call it."""
    there = "SELECT to_regproc('told') IS NOT NULL"
    fires = "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'told')"
    await migrate(database_url, with_more(tmp_path / "a", functions={"told": TOLD}))
    assert await value(database_url, fires)
    await migrate(database_url, with_more(tmp_path / "b", version="9.1.0"))
    assert await value(database_url, there)
    await migrate(database_url, with_more(tmp_path / "c", version="9.2.0"))
    assert not await value(database_url, there)
    assert not await value(database_url, fires)


async def test_a_trigger_that_stays_the_same_locks_nothing(database_url: str) -> None:
    """Requests write to its table all the time, and one of them may take long."""
    connection = await asyncpg.connect(database_url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE execution, workspace, pgqueuer IN ROW EXCLUSIVE MODE")
        await migrate(database_url)
    await connection.close()


async def test_functions_that_call_each_other_stand_in_any_order(database_url: str, tmp_path: Path) -> None:
    first = "CREATE OR REPLACE FUNCTION a_first() RETURNS integer LANGUAGE sql AS $$ SELECT one() $$;\n"
    await migrate(database_url, with_more(tmp_path, functions={"a": first, "b": ONE.format(3)}))
    assert await value(database_url, "SELECT a_first()") == 3


async def test_a_function_that_cannot_work_changes_nothing(database_url: str, tmp_path: Path) -> None:
    wrong = "CREATE OR REPLACE FUNCTION b() RETURNS integer LANGUAGE sql AS $$ SELECT no_such_function() $$;\n"
    with pytest.raises(asyncpg.UndefinedFunctionError):
        await migrate(database_url, with_more(tmp_path, functions={"a": ONE.format(1), "b": wrong}))
    assert await value(database_url, "SELECT to_regproc('one') IS NULL")


async def test_only_the_applications_role_may_execute_them(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    rights = await connection.fetch(
        "SELECT f.name, p.proacl::text AS rights FROM schema_function f "
        "JOIN pg_proc p ON p.oid = f.name::regprocedure WHERE f.kind = 'function'"
    )
    await connection.close()
    assert len(rights) == THIS.sql.count("CREATE OR REPLACE FUNCTION")
    for row in rights:
        assert "passerelle_app=X" in row["rights"], row["name"]
        assert not row["rights"].startswith("{=X"), row["name"]
        assert ",=X" not in row["rights"], row["name"]


@pytest.mark.parametrize("held", [True, False], ids=["held", "free"])
async def test_old_rows_are_deleted_some_at_a_time_and_held_ones_later(
    database: Database, database_url: str, workspace_id: UUID, held: bool
) -> None:
    async with database.workspace(workspace_id) as connection:
        await connection.execute(
            "INSERT INTO idempotency_key (workspace_id, key, request_hash, resource_id, created_at, locked_until) "
            "SELECT $1, n::text, '', $1, now() - n * interval '1 hour', now() FROM generate_series(1, 5) n",
            workspace_id,
        )
    holder = await asyncpg.connect(database_url)
    async with holder.transaction(), database.shared() as connection:
        if held:
            await holder.execute("SELECT FROM idempotency_key WHERE key = '5' FOR UPDATE")
        forget = "SELECT forget_idempotency_keys(now() - interval '150 minutes', 2)"
        assert [await connection.fetchval(forget) for _ in range(3)] == ([2, 0, 0] if held else [2, 1, 0])
    await holder.close()


def test_the_releases_functions_are_told_apart_by_their_text(tmp_path: Path) -> None:
    one = with_more(tmp_path / "a", functions={"one": ONE.format(1)})
    other = with_more(tmp_path / "b", functions={"one": ONE.format(2)})
    assert len({Release().functions_digest, one.functions_digest, other.functions_digest}) == 3
