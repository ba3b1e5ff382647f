"""The database's functions and triggers, applied anew by every `migrate` from the files in `functions`."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

import asyncpg

from passerelle.kit.connections import APP_ROLE
from passerelle.migrations.release import Release

_TRIGGER: Final = re.compile(r"^CREATE OR REPLACE TRIGGER (?P<name>\w+)\s[^;]*?\sON\s+(?P<table>\w+)\s[^;]*;$", re.M)

_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS schema_function (
        kind    text NOT NULL CHECK (kind IN ('function', 'trigger')),
        name    text NOT NULL,
        digest  text NOT NULL,
        gone_in text,
        PRIMARY KEY (kind, name)
    );
    COMMENT ON TABLE schema_function IS 'the functions and triggers that releases have made';
    COMMENT ON COLUMN schema_function.gone_in IS 'the first release that no longer has it; the next one drops it';
"""

_MADE: Final = """
    SELECT format('%s', oid::regprocedure) AS name FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
        AND xmin::text = (pg_current_xact_id()::text::bigint % 4294967296)::text
"""
"""The functions that this transaction has made or replaced."""


async def apply(connection: asyncpg.Connection, release: Release) -> None:
    """Make every function and trigger as this release has it; drop what the release before had let go of.

    The functions change together, in one transaction. A trigger locks its table, so each is made by itself and only
    where it is another than before: whoever holds one busy table and waits for the next is in a deadlock with requests.
    What is gone stays for one release, whose processes run beside those that still use it.
    """
    async with connection.transaction():
        made = await make_functions(connection, release)
    _, triggers = parts(release)
    for name, statement in triggers.items():
        async with connection.transaction():
            await _make_trigger(connection, name, statement)
    await _let_go(connection, "trigger", list(triggers), release)
    await _let_go(connection, "function", made, release)


def parts(release: Release) -> tuple[str, dict[str, str]]:
    """The statements that make its functions, and each trigger's by `name ON table`."""
    triggers = {f"{found['name']} ON {found['table']}": found[0] for found in _TRIGGER.finditer(release.sql)}
    return _TRIGGER.sub("", release.sql), triggers


def statements_of(release: Release, name: str, table: str) -> tuple[str, str]:
    """The statement that makes the function `name`, and that of the trigger by the same name. Raises `KeyError`."""
    functions, triggers = parts(release)
    found = re.search(rf"^CREATE OR REPLACE FUNCTION {name}\(.*?^\$\$;$", functions, re.M | re.S)
    if found is None:
        raise KeyError(name)
    return found[0], triggers[f"{name} ON {table}"]


async def make_functions(connection: asyncpg.Connection, release: Release) -> list[str]:
    """Make the functions, which locks no table; their signatures. Must be called in a transaction."""
    await connection.execute(_TABLE)
    functions, _ = parts(release)
    # Functions call each other in any order; the second time each body is checked with all the others there.
    await connection.execute(f"SET LOCAL check_function_bodies = off; {functions}")
    await connection.execute(f"SET LOCAL check_function_bodies = on; {functions}")
    made = [row["name"] for row in await connection.fetch(_MADE)]
    for name in made:
        await connection.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        await connection.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP_ROLE}")
        await _keep(connection, "function", name, "")
    return made


async def _make_trigger(connection: asyncpg.Connection, name: str, statement: str) -> None:
    digest = sha256(statement.encode()).hexdigest()[:16]
    trigger, _, table = name.partition(" ON ")
    there = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_trigger t JOIN schema_function f ON f.kind = 'trigger' AND f.name = $3 "
        "WHERE t.tgname = $1 AND t.tgrelid = $2::text::regclass AND f.digest = $4)",
        trigger,
        table,
        name,
        digest,
    )
    if not there:
        await connection.execute(statement)
        await _keep(connection, "trigger", name, digest)


async def _keep(connection: asyncpg.Connection, kind: str, name: str, digest: str) -> None:
    await connection.execute(
        "INSERT INTO schema_function (kind, name, digest) VALUES ($1, $2, $3) "
        "ON CONFLICT (kind, name) DO UPDATE SET digest = excluded.digest, gone_in = NULL",
        kind,
        name,
        digest,
    )


async def _let_go(connection: asyncpg.Connection, kind: str, kept: list[str], release: Release) -> None:
    dropped = await connection.fetch(
        "DELETE FROM schema_function WHERE kind = $1 AND name <> ALL ($2) AND gone_in <> $3 RETURNING name",
        kind,
        kept,
        release.version,
    )
    for row in dropped:
        await connection.execute(f"DROP {kind.upper()} IF EXISTS {row['name']}")
    await connection.execute(
        "UPDATE schema_function SET gone_in = $3 WHERE kind = $1 AND name <> ALL ($2) AND gone_in IS NULL",
        kind,
        kept,
        release.version,
    )
