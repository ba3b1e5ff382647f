"""The SQL of the audit. Whoever writes names a chain that the connection serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.audit.models import AuditChain, Entry, KeptEntry, NamedChain, OldPart
from passerelle.kit.database import Connection, DatabaseRow
from passerelle.kit.ids import first_id

_INSERT: Final = """
    INSERT INTO audit_entry (chain, id, at, action, outcome, actor_id, object_kind, object_id, content)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
"""
_WHERE_CHANGED: Final = " WHERE pg_current_xact_id_if_assigned() IS NOT NULL"

LOOKED_THROUGH: Final = 20_000
"""Entries that one page of a search looks at, at most."""

_FIND: Final = """
    SELECT chain, id, content, number, hash FROM (
        SELECT * FROM audit_entry
        WHERE chain = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR actor_id = $3)
          AND ($4::text IS NULL OR action = $4) AND ($5::text IS NULL OR object_id = $5)
          AND ($6::text IS NULL OR object_kind = $6) AND ($7::text IS NULL OR outcome = $7)
          AND ($8::uuid IS NULL OR id >= $8) AND ($9::uuid IS NULL OR id < $9)
          AND ($10::timestamptz IS NULL OR at >= $10) AND ($11::timestamptz IS NULL OR at < $11)
        ORDER BY id DESC LIMIT $12
    ) e
"""
_CHAIN: Final = """
    SELECT chain, id, content, number, hash FROM audit_entry
    WHERE chain = $1 AND number > $2 AND number <= $3 ORDER BY number LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """What entries are looked for by. `text`: anything in them, upper and lower case alike."""

    actor: str | None = None
    action: str | None = None
    object_id: str | None = None
    object_kind: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class FoundEntries:
    """A page of entries, the newest first. `last`: how far was looked; None where nothing is left."""

    entries: Sequence[KeptEntry]
    last: UUID | None


async def insert(connection: Connection, entry: Entry, *, if_changed: bool = False) -> bool:
    """Write an entry; with `if_changed` only if the transaction has changed something. Whether it was written."""
    done = await connection.execute(
        _INSERT + (_WHERE_CHANGED if if_changed else ""),
        entry.chain,
        entry.id,
        entry.at,
        entry.action,
        entry.outcome,
        entry.by.id,
        entry.object_kind,
        entry.object_id,
        entry.content(),
    )
    return bool(done == "INSERT 0 1")


async def find(
    connection: Connection, chain: UUID, filters: AuditFilters, before: UUID | None, limit: int
) -> FoundEntries:
    """The newest entries older than the one `before`; looks at `LOOKED_THROUGH` at most where a text is wanted."""
    most = LOOKED_THROUGH if filters.text else limit + 1
    # Ids begin with the time at which they were made, which is the entry's within a moment.
    slack = timedelta(minutes=1)
    rows = await connection.fetch(
        _FIND,
        chain,
        before,
        filters.actor,
        filters.action,
        filters.object_id,
        filters.object_kind,
        filters.outcome,
        None if filters.since is None else first_id(filters.since - slack),
        None if filters.until is None else first_id(filters.until + slack),
        filters.since,
        filters.until,
        most,
    )
    wanted = (filters.text or "").casefold()
    found: list[KeptEntry] = []
    looked = 0
    for row in rows:
        if len(found) == limit:
            break
        looked += 1
        if not wanted or wanted in row["content"].casefold():
            found.append(_kept(row))
    left = looked < len(rows) or len(rows) == most
    return FoundEntries(found, rows[looked - 1]["id"] if left and looked else None)


async def sealed(connection: Connection, chain: UUID, after: int, through: int, limit: int) -> list[KeptEntry]:
    """The next sealed entries of a chain in their order, up to the number `through`."""
    return [_kept(row) for row in await connection.fetch(_CHAIN, chain, after, through, limit)]


async def head(connection: Connection, chain: UUID) -> tuple[int, str] | None:
    """Number and hash of the last sealed entry; None where nothing was sealed."""
    row = await connection.fetchrow("SELECT number, hash FROM audit_chain WHERE chain = $1", chain)
    return None if row is None else (row["number"], row["hash"])


async def unsealed(connection: Connection, chain: UUID) -> int:
    """How many entries have no place yet."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM audit_entry WHERE chain = $1 AND number IS NULL", chain
    )
    return count


async def checkpoint(connection: Connection, chain: UUID, through: int) -> KeptEntry | None:
    """The sealed entry that says that the chain was shortened up to the number `through`."""
    row = await connection.fetchrow(
        "SELECT chain, id, content, number, hash FROM audit_entry WHERE chain = $1 AND action = 'shortenAudit' "
        "AND object_id = $2 AND number IS NOT NULL ORDER BY number LIMIT 1",
        chain,
        str(through),
    )
    return None if row is None else _kept(row)


async def mismatched(connection: Connection, chain: UUID, after: int, through: int) -> int | None:
    """The number of the first entry whose other columns say something else than its content."""
    number: int | None = await connection.fetchval(
        """
        SELECT min(number) FROM audit_entry e WHERE chain = $1 AND number > $2 AND number <= $3 AND (
            (content::jsonb ->> 'id', content::jsonb ->> 'chain', content::jsonb ->> 'action',
             content::jsonb ->> 'outcome', content::jsonb #>> '{by,id}', content::jsonb #>> '{object,kind}',
             content::jsonb #>> '{object,id}')
            IS DISTINCT FROM (e.id::text, e.chain::text, action, outcome, actor_id, object_kind, object_id)
            OR date_trunc('milliseconds', at) <> (content::jsonb ->> 'at')::timestamptz
        )
        """,
        chain,
        after,
        through,
    )
    return number


async def seal(connection: Connection, at_most: int = 1_000) -> int:
    """Give entries of every chain their places. Returns how many."""
    done: int = await connection.fetchval("SELECT seal_audit($1)", at_most)
    return done


async def chains(connection: Connection) -> list[NamedChain]:
    """Every chain with the name of its workspace or organization, for the operator."""
    return [
        NamedChain(AuditChain(row["chain"], row["kind"] == "organization"), f"{row['kind']} {row['name']}")
        for row in await connection.fetch("SELECT * FROM all_audit_chains()")
    ]


async def has_hash(connection: Connection, chain: UUID, hash_: str) -> bool:
    """Whether a sealed entry of the chain has this hash."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM audit_entry WHERE chain = $1 AND hash = $2)", chain, hash_
    )
    return found


async def old_parts(connection: Connection, now: datetime, keep: timedelta | None, at_most: int) -> list[OldPart]:
    """What of each chain is older than its workspace, or `keep`, says."""
    rows = await connection.fetch("SELECT * FROM audit_over($1, $2, $3)", now, keep, at_most)
    return [
        OldPart(AuditChain(row["chain"], row["organization"]), row["number"], row["hash"], row["entries"])
        for row in rows
    ]


async def remove(connection: Connection, chain: UUID, through: int) -> int:
    """Remove the entries of a chain up to a number. Returns how many."""
    removed: int = await connection.fetchval("SELECT remove_audit($1, $2)", chain, through)
    return removed


def _kept(row: DatabaseRow) -> KeptEntry:
    return KeptEntry(row["chain"], row["id"], row["content"], row["number"], row["hash"])
