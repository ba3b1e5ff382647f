"""The product's schema with every table of workspaces divided by workspace, as hash partitions.

Stands in for a database that is distributed (Citus), which cannot be installed where the tests run: keys, unique indexes
and foreign keys obey the same rule, and a statement that does not say its workspace reads every partition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import asyncpg

from passerelle.migrations.release import Release
from passerelle.migrations.schema import migrate

PARTS = 2

_OWNED = """
    SELECT c.oid, c.relname AS name, a.attname AS by FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE a.attname IN ('workspace_id', 'chain') AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
      AND c.relname NOT IN ('workspace', 'app_user') ORDER BY c.relname
"""
"""What is divided. Workspaces, organizations, their users, and the queue are not: they are everywhere, or in one place."""
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text AS name, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND (conrelid = ANY ($1) OR confrelid = ANY ($1))
"""
_ALL_FOREIGN_KEYS = "SELECT conrelid::regclass::text AS name, conname FROM pg_constraint WHERE contype = 'f'"
_UNIQUE = "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = $1 AND indisunique"
_PRIMARY_KEY = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1 AND contype = 'p'"
_INDEXES = "SELECT pg_get_indexdef(indexrelid) AS made FROM pg_index WHERE indrelid = $1 AND NOT indisprimary"
_POLICIES = """
    SELECT format('CREATE POLICY %I ON %I FOR %s USING (%s)%s', policyname, tablename, cmd, qual,
                  ' WITH CHECK (' || with_check || ')') AS made
    FROM pg_policies WHERE schemaname = 'public' AND tablename = $1
"""
_RIGHTS = """
    SELECT format('GRANT %s ON %I TO %s', a.privilege_type, c.relname, a.grantee::regrole) AS made
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1 AND a.grantee <> c.relowner
"""


async def migrate_partitioned(url: str, role: str) -> None:
    """Bring an empty database to this release, with partitions."""
    await migrate(url, Release(functions=()), role=role)
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await partition(connection)
    await connection.close()
    # Functions give whole rows of tables, and triggers belong to them: so they come afterwards.
    await migrate(url, role=role)


async def partition(connection: asyncpg.Connection) -> None:
    """Put a partitioned table into the place of each, which must be empty."""
    owned = await connection.fetch(_OWNED)
    foreign_keys = await connection.fetch(_FOREIGN_KEYS, [table["oid"] for table in owned])
    for key in foreign_keys:
        await connection.execute(f"ALTER TABLE {key['name']} DROP CONSTRAINT {key['conname']}")
    for table in owned:
        for statement in await _partitioned(connection, table):
            await connection.execute(statement)
    for key in foreign_keys:
        await connection.execute(f"ALTER TABLE {key['name']} ADD CONSTRAINT {key['conname']} {key['definition']}")


async def move_part(connection: asyncpg.Connection, other_url: str, tables: Sequence[str]) -> None:
    """Let the last part of these tables be in another database, reached by `postgres_fdw`.

    A partition that is elsewhere allows no unique index on the whole, and no foreign key to it: each part has its own
    primary key instead.
    """
    await migrate(other_url, Release(functions=()), role="passerelle_app")
    other = await asyncpg.connect(other_url)
    for key in await other.fetch(_ALL_FOREIGN_KEYS):
        await other.execute(f"ALTER TABLE {key['name']} DROP CONSTRAINT {key['conname']}")
    await other.close()
    await connection.execute(_server(other_url))
    oids = [await connection.fetchval("SELECT $1::text::regclass::oid", table) for table in tables]
    for key in await connection.fetch(_FOREIGN_KEYS, oids):
        await connection.execute(f"ALTER TABLE {key['name']} DROP CONSTRAINT IF EXISTS {key['conname']}")
    for table, oid in zip(tables, oids, strict=True):
        primary_key = await connection.fetchval(_PRIMARY_KEY, oid)
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
        for row in await connection.fetch(_UNIQUE, oid):
            await connection.execute(f"DROP INDEX {row['name']}")
        for part in range(PARTS - 1):
            await connection.execute(f"ALTER TABLE {table}_{part} ADD {primary_key}")
        last = f"{table}_{PARTS - 1}"
        await connection.execute(f"DROP TABLE {last}")
        await connection.execute(
            f"CREATE FOREIGN TABLE {last} PARTITION OF {table} FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {PARTS - 1}) "
            f"SERVER other OPTIONS (table_name '{table}')"
        )


def _server(url: str) -> str:
    """What makes another database known as `other`."""
    address = urlsplit(url)
    options = dict(one.split("=", 1) for one in address.query.split("&") if one)
    host = address.hostname or unquote(options["host"])
    password = f", password '{unquote(address.password)}'" if address.password else ""
    return f"""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{host}', port '{address.port or 5432}', dbname '{address.path[1:]}');
        CREATE USER MAPPING FOR PUBLIC SERVER other
            OPTIONS (user '{unquote(address.username or "postgres")}', password_required 'false'{password})
    """


async def _partitioned(connection: asyncpg.Connection, table: asyncpg.Record) -> Sequence[str]:
    name, oid = table["name"], table["oid"]
    made = [row["made"] for row in await connection.fetch(_INDEXES, oid)]
    return [
        f"ALTER TABLE {name} RENAME TO former_{name}",
        f"CREATE TABLE {name} (LIKE former_{name} INCLUDING ALL EXCLUDING INDEXES) PARTITION BY HASH ({table['by']})",
        *[row["made"] for row in await connection.fetch(_POLICIES, name)],
        *[row["made"] for row in await connection.fetch(_RIGHTS, oid)],
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"DROP TABLE former_{name}",
        f"ALTER TABLE {name} ADD CONSTRAINT {name}_pkey {await connection.fetchval(_PRIMARY_KEY, oid)}",
        *[_index(one, table["by"]) for one in made],
        *[
            f"CREATE TABLE {name}_{part} PARTITION OF {name} FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})"
            for part in range(PARTS)
        ],
    ]


def _index(made: str, by: str) -> str:
    """What is unique by a secret alone is so because secrets are random: a divided table has a plain index of it."""
    return made if re.search(rf"\({by}[,)]", made) else made.replace("UNIQUE ", "")
