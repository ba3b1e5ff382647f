"""Databases of the former chain of numbered migrations, which ended at 0070 and is now the baseline.

That chain compared only the newest number, so a migration with a lower one could be skipped without a word. So the
number is not believed: what is really there is compared with what the baseline makes.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from passerelle.migrations.applied import VERSION_TABLE, SchemaError, write
from passerelle.migrations.baseline import statements
from passerelle.migrations.catalogue import Catalogue, catalogue
from passerelle.migrations.release import Release

_SCRATCH: Final = "passerelle_baseline"

_MENDABLE: Final = ("the table", "the index ")


async def is_former(connection: asyncpg.Connection) -> bool:
    """Whether migrations of the former chain have run here."""
    return await connection.fetchval("SELECT to_regclass('alembic_version')") is not None and bool(
        await connection.fetchval("SELECT EXISTS (SELECT FROM alembic_version)")
    )


async def take_over(connection: asyncpg.Connection, release: Release) -> list[str]:
    """Note that the baseline is there, after making the tables and indexes that were skipped. Returns those.

    The former version table stays as it is, so that processes of the former release may start beside this one's.
    Must be called in a transaction. Raises `SchemaError` where more than whole tables and indexes is missing: how rows
    are brought to that is known only to the migration that was skipped.
    """
    promised = await _promised(connection)
    there = await catalogue(connection, await connection.fetchval("SELECT current_schema()"))
    lost = {table: promised[table] - there.get(table, set()) for table in promised}
    beyond = sorted(
        f"{fact} of {table}"
        for table, facts in lost.items()
        if table in there
        for fact in facts
        if not fact.startswith(_MENDABLE)
    )
    if beyond:
        raise SchemaError(
            "the database was made by an older version, before the baseline of this release, and differs from it in "
            f"more than missing tables. It lacks {'; '.join(beyond)}. Migrate it with the last version before the "
            "baseline, or restore a dump that has them"
        )
    await _require_no_table_of_that_name(connection)
    mended = [f"the table {table}" for table in lost if table not in there]
    mended += [f"{fact.split(' USING')[0]} of {table}" for table in lost if table in there for fact in lost[table]]
    await _mend(connection, lost, there)
    await connection.execute(f"INSERT INTO {VERSION_TABLE} VALUES ($1)", release.migrations[0].name)
    await write(connection, "migration", release.migrations[0].name, release)
    return sorted(mended)


async def furnish_workspaces(connection: asyncpg.Connection) -> None:
    """Give the built-in table to workspaces that were made while its migration had been skipped."""
    await connection.execute(
        "SELECT make_cases_table(w.workspace_id, w.created_at) FROM workspace w "
        "WHERE NOT EXISTS (SELECT FROM record_table t WHERE t.workspace_id = w.workspace_id AND t.name = 'cases')"
    )


async def _require_no_table_of_that_name(connection: asyncpg.Connection) -> None:
    """Only the owner of a table `cases` of their own can say what becomes of it."""
    owner = await connection.fetchval(
        "SELECT workspace_id FROM record_table WHERE name = 'cases' AND NOT built_in LIMIT 1"
    )
    if owner is not None:
        raise SchemaError(
            f"the workspace {owner} has a table of its own named cases, which is a built-in one: rename it with "
            f"PATCH /tables/cases under the release before, then migrate again"
        )


async def _promised(connection: asyncpg.Connection) -> Catalogue:
    """What the baseline makes: found out by making it, in a schema that goes again."""
    path = await connection.fetchval("SELECT current_setting('search_path')")
    await connection.execute(f"CREATE SCHEMA {_SCRATCH}; SET LOCAL search_path = {_SCRATCH}")
    for _, statement in statements():
        await connection.execute(statement)
    promised = await catalogue(connection, _SCRATCH)
    await connection.execute(f"SET LOCAL client_min_messages = warning; DROP SCHEMA {_SCRATCH} CASCADE")
    await connection.execute("SELECT set_config('search_path', $1, true)", path)
    return promised


async def _mend(connection: asyncpg.Connection, lost: Catalogue, there: Catalogue) -> None:
    for table, statement in statements():
        absent = table not in there
        index = any(fact.startswith("the index ") and f" {fact.split()[2]} ON " in statement for fact in lost[table])
        if absent or index:
            await connection.execute(statement)
