"""Which keys could not be had on a database that is divided by workspace: the list gets shorter, never longer.

A distributed table (Citus) needs the column that it is divided by, `workspace_id`, in each primary key and unique index,
and each foreign key between such tables has to begin with it. What lacks it today is named with its reason; a new key
that lacks it fails here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

UNIQUE = {
    "api_key.api_key_pkey": "referred to by `refresh_token.key_id`",
    "api_key.api_key_public_id_key": "who signs in names no workspace",
    "api_key.api_key_token": "who signs in names no workspace",
    "api_key_use.api_key_use_pkey": "named by its key",
    "handover.handover_secret_hash_key": "who has a code names no workspace",
    "handover.handover_session_hash_key": "whose browser it is names no workspace",
    "link.link_secret_hash_key": "who opens a link names no workspace",
    "received_event.received_event_pkey": "named by its execution",
    "refresh_token.refresh_token_pkey": "used by its hash",
    "refresh_token.refresh_token_token_hash_key": "who refreshes names no workspace",
    "signing_key.signing_key_pkey": "the public key is asked for by its id alone",
    "step_run.step_run_pkey": "named by its execution",
    "visit.visit_secret_hash_key": "whose browser it is names no workspace",
    "webhook_cursor.webhook_cursor_pkey": "named by its endpoint",
    "webhook_delivery.webhook_delivery_once": "named by its endpoint",
    "webhook_endpoint.webhook_endpoint_pkey": "referred to by its deliveries",
    "webhook_tally.webhook_tally_pkey": "named by its endpoint",
}
"""Primary keys and unique indexes of workspaces' tables that lack the workspace."""
REFERENCES = {
    "api_key_use.api_key_use_key_id_fkey": "to `api_key`",
    "refresh_token.refresh_token_key_id_fkey": "to `api_key`",
    "webhook_cursor.webhook_cursor_endpoint_id_fkey": "to `webhook_endpoint`",
    "webhook_delivery.webhook_delivery_endpoint_id_fkey": "to `webhook_endpoint`",
    "webhook_tally.webhook_tally_endpoint_id_fkey": "to `webhook_endpoint`",
}
"""Foreign keys between two workspaces' tables that lack it."""
OWNED = """
    SELECT a.attrelid AS oid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attname = 'workspace_id' AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await asyncpg.connect(database_url)
    yield connected
    await connected.close()


async def _names(connection: asyncpg.Connection, query: str) -> set[str]:
    return {row["name"] for row in await connection.fetch(f"WITH owned AS ({OWNED}) {query}")}


async def test_no_further_unique_index_lacks_the_workspace(connection: asyncpg.Connection) -> None:
    found = await _names(
        connection,
        """
        SELECT i.indrelid::regclass || '.' || i.indexrelid::regclass AS name FROM pg_index i JOIN owned o ON o.oid = i.indrelid
        WHERE i.indisunique AND NOT EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
              AND a.attname = 'workspace_id')
          AND i.indrelid <> ALL (ARRAY['app_user', 'process']::regclass[])
        """,
    )
    assert found == set(UNIQUE)


async def test_where_the_workspace_is_in_a_primary_key_it_stands_first(connection: asyncpg.Connection) -> None:
    found = await _names(
        connection,
        """
        SELECT i.indexrelid::regclass::text AS name FROM pg_index i JOIN owned o ON o.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'workspace_id'
        WHERE i.indisprimary AND a.attnum = ANY (i.indkey::int2[]) AND i.indkey[0] <> a.attnum
        """,
    )
    assert found == set()


async def test_no_further_foreign_key_between_workspaces_tables_lacks_it(connection: asyncpg.Connection) -> None:
    found = await _names(
        connection,
        """
        SELECT c.conrelid::regclass || '.' || c.conname AS name FROM pg_constraint c
        JOIN owned o ON o.oid = c.conrelid JOIN owned r ON r.oid = c.confrelid
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = 'workspace_id'
        WHERE c.contype = 'f' AND NOT a.attnum = ANY (c.conkey) AND c.confrelid <> 'workspace'::regclass
          AND 'app_user'::regclass NOT IN (c.conrelid, c.confrelid)
        """,
    )
    assert found == set(REFERENCES)
