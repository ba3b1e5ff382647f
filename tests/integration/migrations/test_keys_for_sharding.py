"""What belongs to a workspace has the workspace first in each of its keys, so that a database can be divided by it.

A distributed table (Citus) and one that is partitioned by `workspace_id` need the column in each primary key and unique
index, and in each foreign key between such tables. What lacks it is named with its reason; a new key that lacks it
fails here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

BY_SECRET = {
    "api_key.api_key_public_id_key": "who signs in names no workspace",
    "api_key.api_key_token": "who signs in names no workspace",
    "handover.handover_secret_hash_key": "who has a code names no workspace",
    "handover.handover_session_hash_key": "whose browser it is names no workspace",
    "link.link_secret_hash_key": "who opens a link names no workspace",
    "refresh_token.refresh_token_token_hash_key": "who refreshes names no workspace",
    "signing_key.signing_key_id": "the public key is asked for by its id alone",
    "visit.visit_secret_hash_key": "whose browser it is names no workspace",
}
"""Unique indexes of what is found by a secret or a public id alone: they would be plain indexes on a divided table."""
FORMER = {
    "api_key_use.api_key_use_former",
    "webhook_delivery.webhook_delivery_once",
    "webhook_endpoint.webhook_endpoint_former",
    "webhook_tally.webhook_tally_former",
}
"""What `ON CONFLICT` of the release before needs. The release after this one drops them, and this list."""
OWNED = """
    SELECT a.attrelid AS oid, a.attnum AS place FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attname IN ('workspace_id', 'chain') AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
      AND c.oid <> 'app_user'::regclass
"""
"""Tables of workspaces, and which of their columns says whose a row is. `chain` is a workspace, or an organization.

A user belongs to an organization, and names the workspace that was looked at last.
"""


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await asyncpg.connect(database_url)
    yield connected
    await connected.close()


async def _names(connection: asyncpg.Connection, query: str) -> set[str]:
    return {row["name"] for row in await connection.fetch(f"WITH owned AS ({OWNED}) {query}")}


async def test_each_primary_key_and_unique_index_begins_with_the_workspace(connection: asyncpg.Connection) -> None:
    found = await _names(
        connection,
        """
        SELECT i.indrelid::regclass || '.' || i.indexrelid::regclass AS name FROM pg_index i JOIN owned o ON o.oid = i.indrelid
        WHERE i.indisunique AND i.indkey[0] <> o.place
        """,
    )
    assert found == set(BY_SECRET) | FORMER


async def test_no_primary_key_is_among_those_that_lack_it(connection: asyncpg.Connection) -> None:
    found = await _names(
        connection,
        """
        SELECT i.indrelid::regclass::text AS name FROM pg_index i JOIN owned o ON o.oid = i.indrelid
        WHERE i.indisprimary AND i.indkey[0] = o.place
        """,
    )
    assert found == await _names(connection, "SELECT oid::regclass::text AS name FROM owned")


async def test_each_foreign_key_between_tables_of_workspaces_begins_with_it(connection: asyncpg.Connection) -> None:
    found = await _names(
        connection,
        """
        SELECT c.conrelid::regclass || '.' || c.conname AS name FROM pg_constraint c
        JOIN owned o ON o.oid = c.conrelid JOIN owned r ON r.oid = c.confrelid
        WHERE c.contype = 'f' AND (c.conkey[1] <> o.place OR c.confkey[1] <> r.place)
        """,
    )
    assert found == set()
