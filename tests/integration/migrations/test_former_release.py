"""Databases of the numbered migrations: the last of them had 0070, and some of those lacked tables."""

from __future__ import annotations

import asyncpg
import pytest

from passerelle.migrations.applied import SchemaError
from passerelle.migrations.release import THIS
from passerelle.migrations.schema import migrate, require_current
from tests.integration.migrations.releases import restore

SKIPPED = ("deprecated_use", "version_one", "record_move", "record_moved")
"""The tables of migrations whose numbers were below the newest one when they came."""


@pytest.fixture
async def former(empty_url: str) -> asyncpg.Connection:
    await restore(empty_url)
    return await asyncpg.connect(empty_url)


async def counts(connection: asyncpg.Connection) -> dict[str, int]:
    tables = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
        "AND relname !~ '^(schema_|pgqueuer)'"
    )
    return {row[0]: await connection.fetchval(f"SELECT count(*) FROM {row[0]}") for row in tables}


async def test_a_complete_one_is_taken_over_with_all_that_it_holds(former: asyncpg.Connection, empty_url: str) -> None:
    before = await counts(former)
    with pytest.raises(SchemaError, match="made by an older version: run `passerelle migrate`"):
        await require_current(empty_url)
    done = await migrate(empty_url)
    assert done[0] == "what was there as the baseline"
    assert not [one for one in done if one.startswith(("the table", "the index"))]
    await require_current(empty_url)
    after = await counts(former)
    await former.close()
    assert {table: after[table] for table in before} == before
    assert before["execution"] == 10
    assert await migrate(empty_url) == []


async def test_processes_of_the_former_release_find_the_number_that_they_look_for(
    former: asyncpg.Connection, empty_url: str
) -> None:
    await migrate(empty_url)
    assert await former.fetchval("SELECT version_num FROM alembic_version") == "0070"
    await former.close()


async def test_tables_that_were_skipped_are_made(former: asyncpg.Connection, empty_url: str) -> None:
    """The gap that has happened: the number was the newest, and four tables were not there."""
    for table in SKIPPED:
        await former.execute(f"DROP TABLE {table}")
    await former.execute("DROP INDEX record_deleted_of_table; DROP FUNCTION count_deprecated_uses")
    done = await migrate(empty_url)
    assert [one for one in done if one.startswith("the table")] == sorted(f"the table {table}" for table in SKIPPED)
    assert "the index record_deleted_of_table of record" in done
    await require_current(empty_url)
    for table in SKIPPED:
        assert await former.fetchval("SELECT relrowsecurity FROM pg_class WHERE oid = $1::text::regclass", table)
    assert await former.fetchval("SELECT to_regproc('count_deprecated_uses') IS NOT NULL")
    assert await former.fetchval("SELECT to_regclass('deprecated_use_age') IS NOT NULL")
    await former.close()


async def test_workspaces_get_the_built_in_table_whose_migration_was_skipped(
    former: asyncpg.Connection, empty_url: str
) -> None:
    await former.execute("DELETE FROM record_table WHERE built_in; DROP FUNCTION furnish_workspace CASCADE")
    await migrate(empty_url)
    assert await former.fetchval("SELECT count(*) FROM record_table WHERE built_in AND name = 'cases'") == 1
    assert await former.fetchval("SELECT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'furnish_workspace')")
    await former.close()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE execution DROP COLUMN parent_id CASCADE", "the column parent_id uuid of execution"),
        ("ALTER TABLE execution ALTER COLUMN untold DROP NOT NULL", "the column untold boolean not null"),
        ("DROP POLICY own_workspace ON link", "the policy own_workspace"),
        ("GRANT UPDATE ON revision TO passerelle_app; REVOKE SELECT ON link FROM passerelle_app", "passerelle_app to SELECT"),
    ],
    ids=["column", "not null", "policy", "right"],
)  # fmt: skip
async def test_what_cannot_be_made_without_knowing_the_rows_is_refused_by_name(
    former: asyncpg.Connection, empty_url: str, statement: str, named: str
) -> None:
    await former.execute(statement)
    with pytest.raises(SchemaError) as refused:
        await migrate(empty_url)
    assert named in str(refused.value)
    assert await former.fetchval("SELECT to_regclass('schema_applied') IS NULL"), "nothing was changed"
    await former.close()


async def test_a_database_of_the_baseline_is_what_the_former_release_made(
    former: asyncpg.Connection, empty_url: str, database_url: str
) -> None:
    """Whichever way a database came to this release, it is the same one."""
    from passerelle.migrations.catalogue import catalogue

    await migrate(empty_url)
    fresh = await asyncpg.connect(database_url)
    taken_over = await catalogue(former, "public")
    made = await catalogue(fresh, "public")
    await former.close()
    await fresh.close()
    taken_over.pop("alembic_version")
    assert taken_over == made
    assert len(made) > 35
    assert THIS.migrations[0].name == "baseline"


async def test_a_table_of_that_name_that_somebody_made_is_refused(former: asyncpg.Connection, empty_url: str) -> None:
    await former.execute("UPDATE record_table SET built_in = false WHERE name = 'cases'")
    with pytest.raises(SchemaError, match="has a table of its own named cases"):
        await migrate(empty_url)
    await former.close()
