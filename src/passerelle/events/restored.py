"""A dump that was restored into another PostgreSQL cluster: its numbers of transactions may lie in that one's future.

Events are read below the horizon of the running transactions, so what lies ahead of it would not be seen until the
new cluster has counted so far, which may take months. A physical copy keeps its numbers and needs nothing of this.
Positions that readers hold are void then, as `EventRepository.place_of` tells them.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from passerelle.kit.connections import connect
from passerelle.kit.errors import CommandError

_FIRST: Final = 3
"""The first number that PostgreSQL gives to a transaction."""

_AHEAD: Final = """
    SELECT coalesce(max(newest.transaction::text::bigint), 0)
        - pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1
    FROM workspace w, LATERAL (
        SELECT transaction FROM event WHERE workspace_id = w.workspace_id ORDER BY transaction DESC LIMIT 1
    ) newest
"""
"""By how much the events' numbers are too high; the key of `event` answers it for each workspace."""

_NUMBERED: Final = """
    SELECT quote_ident(c.relname) AS relation, quote_ident(a.attname) AS attribute
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.atttypid = 'xid8'::regtype AND c.relkind = 'r' AND n.nspname = current_schema() AND NOT a.attisdropped
      AND c.relname <> 'audit_entry'
"""
"""The audit is only added to, and needs it not: an entry that has no place in its chain yet gets it after an hour,
whatever its number (`seal_audit`)."""

_LOWER: Final = "UPDATE {relation} SET {attribute} = greatest({attribute}::text::bigint - $1, $2)::text::xid8"


async def require_numbers(url: str) -> None:
    """Raises `CommandError` where the database was restored into another cluster and `migrate` has not run since."""
    connection = await connect(url, "passerelle start")
    try:
        async with connection.within():
            ahead = await _ahead(connection)
        if ahead > 0:
            raise CommandError(
                "the database was restored into another PostgreSQL cluster, where its events would not be seen: "
                "run `passerelle migrate` before anything else"
            )
    finally:
        await connection.close()


async def bring_back_numbers(url: str) -> int:
    """Move the numbers of transactions below the cluster's own, in their order. Returns by how much; 0: as they were.

    The oldest ones, for which the new cluster has no room, fall together; ids keep their order. Must run before
    anything is started.
    """
    connection = await connect(url, "passerelle start")
    try:
        async with connection.within():
            ahead = await _ahead(connection)
            if ahead <= 0:
                return 0
            for column in await connection.fetch(_NUMBERED):
                await connection.execute(_LOWER.format(**column), ahead, _FIRST)
        return ahead
    finally:
        await connection.close()


async def _ahead(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval(_AHEAD))
