"""Nothing of another workspace can be seen, counted or changed, whatever a query forgets."""

from __future__ import annotations

import ast
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from passerelle.kit.database import Database
from passerelle.kit.ids import new_id

SOURCE = Path(__file__).parents[3] / "src" / "passerelle"

SHARED_TABLES = {
    "schema_applied",
    "schema_function",
    "schema_version",
    "attempt_count",
    "installation_figures",
    "process",
    "pgqueuer",
    "pgqueuer_log",
    "pgqueuer_statistics",
    "pgqueuer_schedules",
}
"""Tables that belong to no workspace."""
OF_ORGANIZATIONS = {
    "organization",
    "app_user",
    "recovery_code",
    "passkey",
    "password_reset",
    "enrolment",
    "identity_provider",
    "user_session",
    "user_group",
    "user_group_member",
}
"""Tables that belong to an organization, and to none of its workspaces."""
OF_EITHER = {"audit_entry", "audit_chain"}
"""Tables whose rows belong to a workspace or to an organization: `chain` is the id of either."""


async def tables(database_url: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        "SELECT relname, relrowsecurity, relispartition FROM pg_class WHERE relkind IN ('r', 'p') "
        "AND relnamespace = 'public'::regnamespace"
    )
    await connection.close()
    return [row for row in rows if row["relname"] not in SHARED_TABLES]


async def test_every_table_of_workspaces_is_isolated_by_the_database(database_url: str) -> None:
    """A new table without row-level security, or without `workspace_id`, fails here."""
    connection = await asyncpg.connect(database_url)
    for row in await tables(database_url):
        table = row["relname"]
        assert row["relrowsecurity"], f"{table} has no row-level security"
        policies = await connection.fetch(
            "SELECT qual, with_check FROM pg_policies WHERE tablename = $1 AND cmd = 'ALL' AND policyname <> $2",
            table,
            "own_organization" if table not in OF_ORGANIZATIONS else "own_workspace",
        )
        assert len(policies) == 1, f"{table} needs the policy of passerelle.migrations.tenancy.isolate"
        setting = "passerelle.organization" if table in OF_ORGANIZATIONS else "passerelle.workspace"
        assert setting in policies[0]["qual"]
        assert setting in policies[0]["with_check"]
        if table in OF_ORGANIZATIONS | OF_EITHER:
            continue
        columns = await connection.fetch(
            "SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'workspace_id'",
            table,
        )
        assert [column["attnotnull"] for column in columns] == [True], f"{table} needs workspace_id NOT NULL"
    await connection.close()


async def test_the_application_owns_no_table_and_cannot_step_around_the_policies(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = 'passerelle_app'")
    owned = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tableowner = 'passerelle_app'")
    await connection.close()
    assert role is not None
    assert not any(role[right] for right in ("rolsuper", "rolbypassrls", "rolcanlogin"))
    assert owned == 0


async def test_the_wrong_workspace_sees_nothing_and_can_write_nothing(
    database: Database, database_url: str, workspace_id: UUID
) -> None:
    stranger = new_id()
    async with database.workspace(stranger) as connection:
        for row in await tables(database_url):
            assert await connection.fetchval(f"SELECT count(*) FROM {row['relname']}") == 0, row["relname"]
        changed = await connection.execute("UPDATE workspace SET name = 'mine'")
        assert changed == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO definition (workspace_id, id, name) VALUES ($1, $2, 'theirs')", workspace_id, new_id()
            )
    async with database.workspace(workspace_id) as connection:
        assert await connection.fetchval("SELECT name FROM workspace") == "test"


async def test_a_connection_that_serves_nobody_sees_nothing(database: Database, workspace_id: UUID) -> None:
    async with database.shared() as connection:
        assert await connection.fetch("SELECT * FROM workspace") == []


async def test_a_connection_that_goes_from_one_workspace_to_another_changes_its_view(
    app_url: str, workspace_id: UUID
) -> None:
    database = await Database.open(app_url, size=2)
    for _ in range(6):
        async with database.workspace(workspace_id) as connection:
            assert await connection.fetchval("SELECT count(*) FROM workspace") == 1
        async with database.workspace(new_id()) as connection:
            assert await connection.fetchval("SELECT count(*) FROM workspace") == 0
    await database.close()


def test_no_code_takes_a_connection_without_naming_its_workspace() -> None:
    """`asyncpg` is opened only by the wrapper, and by the embedded server, which looks whether it works."""
    allowed = {
        "kit/connections.py",
        "kit/database.py",
        "dev/postgres/supervisor.py",
        "dev/postgres/server.py",
    }
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("create_pool", "connect"):
                owner = node.value
                if isinstance(owner, ast.Name) and owner.id == "asyncpg":
                    found.add(str(path.relative_to(SOURCE)))
    assert found <= allowed, f"take connections from kit.database: {sorted(found - allowed)}"
