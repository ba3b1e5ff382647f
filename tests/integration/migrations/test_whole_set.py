"""A start compares everything that the database has had with everything that the release wants."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from passerelle.migrations.applied import SchemaError
from passerelle.migrations.release import THIS, Release
from passerelle.migrations.schema import migrate, require_current
from tests.integration.migrations.releases import migration, newest, with_more


async def run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def test_an_empty_database_is_refused_until_it_is_migrated_once(empty_url: str) -> None:
    with pytest.raises(SchemaError, match=r"lacks the migration baseline.*run `passerelle migrate`"):
        await require_current(empty_url)
    assert (await migrate(empty_url))[0] == "the migration baseline"
    await require_current(empty_url)
    assert await migrate(empty_url) == []


async def test_what_was_applied_when_and_by_which_release_is_written_down(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT * FROM schema_applied WHERE kind = 'migration' ORDER BY applied_at")
    await connection.close()
    assert [row["name"] for row in rows] == [one.name for one in THIS.migrations]
    assert {row["release"] for row in rows} == {THIS.version}


async def test_a_newer_migration_is_named_as_missing_and_then_applied(database_url: str, tmp_path: Path) -> None:
    newer = with_more(tmp_path, migration("0001_low", newest(), "CREATE TABLE low ()"))
    with pytest.raises(SchemaError, match="lacks the migration 0001_low"):
        await require_current(database_url, newer)
    assert "the migration 0001_low" in await migrate(database_url, newer)
    await require_current(database_url, newer)
    await run(database_url, "SELECT FROM low")


async def test_an_older_release_starts_beside_a_newer_one_and_leaves_its_schema_alone(
    database_url: str, tmp_path: Path
) -> None:
    await migrate(database_url, with_more(tmp_path, migration("0900_more", newest(), "CREATE TABLE more ()")))
    await require_current(database_url)
    assert await migrate(database_url) == []
    await run(database_url, "SELECT FROM more")


async def test_a_migration_that_breaks_the_release_before_keeps_it_from_starting(
    database_url: str, tmp_path: Path
) -> None:
    breaking = migration(
        "0900_gone",
        newest(),
        "ALTER TABLE record_comment DROP COLUMN text",
        breaks="themes are read from another table",
    )
    newer = with_more(tmp_path, breaking)
    await migrate(database_url, newer)
    await require_current(database_url, newer)
    for start in (require_current, migrate):
        with pytest.raises(
            SchemaError, match=r"0900_gone .*themes are read from another table.* at least release 9.0.0"
        ):
            await start(database_url)


async def test_migrations_that_came_in_another_order_are_refused_by_name(database_url: str, tmp_path: Path) -> None:
    await migrate(database_url, with_more(tmp_path / "a", migration("0901_b", newest(), "CREATE TABLE b ()")))
    between = (migration("0900_a", newest(), "CREATE TABLE a ()"), migration("0901_b", "0900_a", "CREATE TABLE b ()"))
    for start in (require_current, migrate):
        with pytest.raises(SchemaError, match="lacks 0900_a although it has had migrations that come after"):
            await start(database_url, with_more(tmp_path / f"b{start.__name__}", *between))


async def test_two_versions_that_have_parted_name_what_each_lacks(database_url: str, tmp_path: Path) -> None:
    await migrate(database_url, with_more(tmp_path / "a", migration("0900_a", newest(), "CREATE TABLE a ()")))
    other = with_more(tmp_path / "b", migration("0900_b", newest(), "CREATE TABLE b ()"))
    for start in (require_current, migrate):
        with pytest.raises(SchemaError, match=r"has had 0900_a .* lacks 0900_b"):
            await start(database_url, other)


async def test_another_version_of_the_queue_wants_its_tables_first(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Release, "queue", "99.0")
    with pytest.raises(SchemaError, match=r"the job queue's tables of PgQueuer 99\.0"):
        await require_current(database_url)
    await migrate(database_url)
    await require_current(database_url)


async def test_an_index_is_made_beside_a_transaction_that_writes(database_url: str, tmp_path: Path) -> None:
    """It waits for the transaction to end, and holds up nobody meanwhile."""
    connection = await asyncpg.connect(database_url)
    newer = with_more(
        tmp_path, migration("0900_index", newest(), online="index('theme_by_name', 'theme (workspace_id, name)')")
    )
    await migrate(database_url, newer)
    valid = await connection.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'theme_by_name'::regclass")
    await connection.close()
    assert valid


async def test_a_lock_that_nobody_gives_back_ends_the_migration_with_what_to_do(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passerelle.migrations.schema.TRIES", 1)
    holder = await asyncpg.connect(database_url)
    newer = with_more(tmp_path, migration("0900_column", newest(), "ALTER TABLE theme ADD COLUMN more text"))
    async with holder.transaction():
        await holder.execute("LOCK TABLE theme IN ACCESS SHARE MODE")
        with pytest.raises(SchemaError, match="somebody holds a lock on it"):
            await migrate(database_url, newer)
    await holder.close()
    assert "the migration 0900_column" in await migrate(database_url, newer)


async def test_an_empty_database_gets_indexes_among_its_first_migrations(empty_url: str, tmp_path: Path) -> None:
    """Each ends the transaction that came before it, and leaves the next one its own."""
    newer = with_more(
        tmp_path,
        migration("0900_index", newest(), online="index('a', 'theme (workspace_id)'); index('b', 'theme (name)')"),
        migration("0901_table", "0900_index", "CREATE TABLE more ()"),
        migration("0902_index", "0901_table", "ALTER TABLE more ADD COLUMN x text", online="index('c', 'more (x)')"),
        migration("0903_index", "0902_index", online="index('d', 'more (x)', unique=True)"),
    )
    done = await migrate(empty_url, newer)
    assert [name for name in NEWEST if f"the migration {name}" in done] == list(NEWEST)
    await require_current(empty_url, newer)


NEWEST = ("0900_index", "0901_table", "0902_index", "0903_index")


async def test_several_who_migrate_an_empty_database_at_once_take_turns(empty_url: str, tmp_path: Path) -> None:
    newer = with_more(
        tmp_path, migration("0900_index", newest(), online="index('theme_by_name', 'theme (workspace_id)')")
    )
    done = await asyncio.gather(*(migrate(empty_url, newer) for _ in range(4)))
    assert sorted(len(applied) for applied in done) == [0, 0, 0, len(newer.migrations) + 2]
    await require_current(empty_url, newer)


async def test_a_database_is_migrated_again_and_again_without_a_change(empty_url: str) -> None:
    await migrate(empty_url)
    for _ in range(20):
        assert await migrate(empty_url) == []
