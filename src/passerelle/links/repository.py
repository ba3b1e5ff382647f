"""Links, tokens, visits and codes in PostgreSQL.

Every statement is for a connection that serves the workspace, and names it. Only functions of the database look across
workspaces: who opens a link names nothing but its secret.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from passerelle.engine.model import Status
from passerelle.kit.database import Connection, Database, DatabaseRow, fetch_one, take_turn
from passerelle.links.models import Link, VisitKind

InBatches = Callable[[Connection, datetime, int], Awaitable[int]]
"""Does some of the work that is due at a moment: at most so many rows. Returns how many."""

COLUMNS: Final = """
    l.workspace_id, l.id, l.execution_id, l.definition_id, e.revision_id, l.record_id, l.email, e.locale, e.status,
    l.created_at, l.expires_at, l.opened_at, l.activated_at, l.superseded_at, l.deleted_at
"""
"""What a link is made of, of `JOINED`."""
JOINED: Final = "link l JOIN execution e ON e.workspace_id = l.workspace_id AND e.id = l.execution_id"


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """How a row's secret is made again, and recognised."""

    salt: bytes
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class BrowserBinding:
    """A browser that an execution is bound to."""

    workspace_id: UUID
    id: UUID
    execution_id: UUID
    kind: VisitKind
    kept: StoredSecret
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CodeRow:
    """The one-time code of a link."""

    salt: bytes
    expires_at: datetime
    attempts: int
    sent: tuple[datetime, ...]
    used_at: datetime | None
    visit_id: UUID | None


# Links.


async def by_secret(database: Database, secret_hash: bytes) -> Link | None:
    """The link that opens with this secret, of whatever workspace."""
    return _link(next(iter(await database.ask("find_link", secret_hash)), None))


async def by_id(connection: Connection, workspace_id: UUID, link_id: UUID) -> Link | None:
    """A link of this workspace."""
    query = f"SELECT {COLUMNS} FROM {JOINED} WHERE l.workspace_id = $1 AND l.id = $2"
    return _link(await connection.fetchrow(query, workspace_id, link_id))


async def locked(connection: Connection, workspace_id: UUID, link_id: UUID) -> Link | None:
    """As `by_id`; nobody else changes it until the transaction ends."""
    query = f"SELECT {COLUMNS} FROM {JOINED} WHERE l.workspace_id = $1 AND l.id = $2 FOR UPDATE OF l"
    return _link(await connection.fetchrow(query, workspace_id, link_id))


async def of_execution(
    connection: Connection, workspace_id: UUID, execution_id: UUID
) -> tuple[Link, StoredSecret] | None:
    """The link of an execution, and how its secret is made."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS}, l.salt, l.secret_hash FROM {JOINED} WHERE l.workspace_id = $1 AND l.execution_id = $2",
        workspace_id,
        execution_id,
    )
    if row is None:
        return None
    facts = dict(row)
    kept = StoredSecret(facts.pop("salt"), facts.pop("secret_hash"))
    return made(facts), kept


async def kept_of(connection: Connection, workspace_id: UUID, link_id: UUID) -> StoredSecret:
    """How a link's secret is made."""
    row = await fetch_one(
        connection, "SELECT salt, secret_hash FROM link WHERE workspace_id = $1 AND id = $2", workspace_id, link_id
    )
    return StoredSecret(row[0], row[1])


async def insert(connection: Connection, link: Link, kept: StoredSecret) -> None:
    """A new link."""
    await connection.execute(
        "INSERT INTO link (workspace_id, id, execution_id, definition_id, record_id, salt, secret_hash, email, "
        "created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        link.workspace_id,
        link.id,
        link.execution_id,
        link.definition_id,
        link.record_id,
        kept.salt,
        kept.secret_hash,
        link.email,
        link.created_at,
        link.expires_at,
    )


async def renew(connection: Connection, link: Link, kept: StoredSecret) -> None:
    """Make a link good again, under another secret, as if nobody had opened it."""
    await connection.execute(
        "UPDATE link SET salt = $3, secret_hash = $4, email = $5, expires_at = $6, opened_at = NULL, "
        "activated_at = NULL, challenge = NULL, visit_id = NULL, superseded_at = NULL, deleted_at = NULL, "
        "expired_at = NULL WHERE workspace_id = $1 AND id = $2",
        link.workspace_id,
        link.id,
        kept.salt,
        kept.secret_hash,
        link.email,
        link.expires_at,
    )
    await connection.execute(
        "DELETE FROM link_code WHERE workspace_id = $1 AND link_id = $2", link.workspace_id, link.id
    )


async def address(connection: Connection, link: Link) -> None:
    """Write where a link goes from now on, and how long it is good."""
    await connection.execute(
        "UPDATE link SET email = $3, expires_at = $4 WHERE workspace_id = $1 AND id = $2",
        link.workspace_id,
        link.id,
        link.email,
        link.expires_at,
    )


async def supersede(
    connection: Connection, workspace_id: UUID, definition_id: UUID, record_ids: Sequence[UUID], now: datetime
) -> list[Link]:
    """Take its place from every link for this definition and one of these records, which are one by now; those links as
    they were until now."""
    rows = await connection.fetch(
        f"UPDATE link l SET superseded_at = $4 FROM execution e WHERE e.workspace_id = l.workspace_id "
        "AND e.id = l.execution_id AND l.workspace_id = $1 AND l.definition_id = $2 AND l.record_id = ANY ($3) "
        f"AND l.superseded_at IS NULL AND l.deleted_at IS NULL RETURNING {COLUMNS}",
        workspace_id,
        definition_id,
        list(record_ids),
        now,
    )
    return [made({**row, "superseded_at": None}) for row in rows]


async def delete(connection: Connection, workspace_id: UUID, link_id: UUID, now: datetime) -> UUID | None:
    """Make a link invalid for good; its execution. None if this workspace has no such link."""
    execution_id: UUID | None = await connection.fetchval(
        "UPDATE link SET deleted_at = coalesce(deleted_at, $3) WHERE workspace_id = $1 AND id = $2 "
        "RETURNING execution_id",
        workspace_id,
        link_id,
        now,
    )
    return execution_id


async def open_first(connection: Connection, workspace_id: UUID, link_id: UUID, now: datetime) -> bool:
    """Note that somebody has looked at a link; False if that was noted before."""
    done = await connection.execute(
        "UPDATE link SET opened_at = $3 WHERE workspace_id = $1 AND id = $2 AND opened_at IS NULL",
        workspace_id,
        link_id,
        now,
    )
    return bool(done == "UPDATE 1")


async def activate(connection: Connection, link: Link, challenge: bytes | None, visit_id: UUID, now: datetime) -> None:
    """Spend a link that is locked."""
    await connection.execute(
        "UPDATE link SET activated_at = $3, challenge = $4, visit_id = $5 WHERE workspace_id = $1 AND id = $2",
        link.workspace_id,
        link.id,
        now,
        challenge,
        visit_id,
    )


async def activated_by(connection: Connection, workspace_id: UUID, link_id: UUID) -> tuple[bytes | None, UUID | None]:
    """The hash of the challenge that activated a link, and the visit that it began."""
    row = await fetch_one(
        connection, "SELECT challenge, visit_id FROM link WHERE workspace_id = $1 AND id = $2", workspace_id, link_id
    )
    return row["challenge"], row["visit_id"]


async def expire(connection: Connection, now: datetime, at_most: int) -> int:
    """Tell of links of every workspace that ran out unused, some at a time. Returns how many."""
    gone: int = await connection.fetchval("SELECT expire_links($1, $2)", now, at_most)
    return gone


async def unused(connection: Connection, now: datetime, at_most: int) -> list[tuple[UUID, UUID]]:
    """Executions that nobody has begun and nothing leads to any more, some at a time: workspace and id."""
    rows = await connection.fetch("SELECT workspace_id, id FROM unused_executions($1, $2)", now, at_most)
    return [(row["workspace_id"], row["id"]) for row in rows]


async def unused_of(
    connection: Connection, workspace_id: UUID, executions: Sequence[UUID], now: datetime
) -> list[UUID]:
    """Those of these executions that nobody has begun and nothing leads to any more."""
    rows = await connection.fetch(
        "SELECT e.id FROM execution e WHERE e.workspace_id = $1 AND e.id = ANY($2) AND e.status = 'RUNNING' "
        "AND e.origin IN ('LINK', 'TOKEN') "
        "AND NOT EXISTS (SELECT FROM visit v WHERE v.workspace_id = $1 AND v.execution_id = e.id) "
        "AND NOT EXISTS (SELECT FROM link l WHERE l.workspace_id = $1 AND l.execution_id = e.id "
        "AND l.superseded_at IS NULL AND l.deleted_at IS NULL AND l.expires_at > $3) "
        "AND NOT EXISTS (SELECT FROM widget_token t WHERE t.workspace_id = $1 AND t.execution_id = e.id "
        "AND t.spent_at IS NULL AND t.expires_at > $3)",
        workspace_id,
        executions,
        now,
    )
    return [row["id"] for row in rows]


async def forget(connection: Connection, before: datetime, at_most: int) -> int:
    """Delete what was left of tokens, visits and e-mails before a time, some at a time. Returns how many."""
    gone: int = await connection.fetchval("SELECT forget_link_traces($1, $2)", before, at_most)
    return gone


# Tokens.


async def keep_token(
    connection: Connection, workspace_id: UUID, token_id: UUID, execution_id: UUID, now: datetime, until: datetime
) -> tuple[UUID, datetime]:
    """A new token for an execution, or the one that it has: id and end."""
    await connection.execute(
        "INSERT INTO widget_token (workspace_id, id, execution_id, created_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id, execution_id) DO NOTHING",
        workspace_id,
        token_id,
        execution_id,
        now,
        until,
    )
    row = await fetch_one(
        connection,
        "SELECT id, expires_at FROM widget_token WHERE workspace_id = $1 AND execution_id = $2",
        workspace_id,
        execution_id,
    )
    return row["id"], row["expires_at"]


async def spend_token(connection: Connection, workspace_id: UUID, token_id: UUID, now: datetime) -> bool | None:
    """Spend a token, once: of two at the same time the second finds it spent (False). None if there is none."""
    spent = await connection.fetchval(
        "UPDATE widget_token SET spent_at = $3 WHERE workspace_id = $1 AND id = $2 AND spent_at IS NULL RETURNING true",
        workspace_id,
        token_id,
        now,
    )
    if spent is not None:
        return True
    known = await connection.fetchval(
        "SELECT true FROM widget_token WHERE workspace_id = $1 AND id = $2", workspace_id, token_id
    )
    return None if known is None else False


async def execution_end(connection: Connection, workspace_id: UUID, execution_id: UUID) -> datetime | None:
    """Until when the end user has time."""
    ends: datetime | None = await connection.fetchval(
        "SELECT expires_at FROM execution WHERE workspace_id = $1 AND id = $2", workspace_id, execution_id
    )
    return ends


# Visits.


async def visiting(database: Database, secret_hash: bytes, now: datetime) -> Any:
    """The visit of whatever workspace that goes on with this secret, or None."""
    return next(iter(await database.ask("find_end_user_session", secret_hash, now)), None)


async def begin_visit(connection: Connection, visit: BrowserBinding) -> None:
    """Bind the execution to one browser, and to no other any more."""
    await take_turn(connection, f"visit {visit.execution_id}")
    await end_visits(connection, visit.workspace_id, visit.execution_id, visit.created_at)
    await connection.execute(
        "INSERT INTO visit (workspace_id, id, execution_id, kind, salt, secret_hash, created_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        visit.workspace_id,
        visit.id,
        visit.execution_id,
        visit.kind,
        visit.kept.salt,
        visit.kept.secret_hash,
        visit.created_at,
        visit.expires_at,
    )


async def end_visits(connection: Connection, workspace_id: UUID, execution_id: UUID, now: datetime) -> None:
    """Bind the execution to no browser."""
    await connection.execute(
        "UPDATE visit SET ended_at = $3 WHERE workspace_id = $1 AND execution_id = $2 AND ended_at IS NULL",
        workspace_id,
        execution_id,
        now,
    )


async def open_visit(connection: Connection, workspace_id: UUID, visit_id: UUID) -> BrowserBinding | None:
    """A visit that goes on."""
    row = await connection.fetchrow(
        "SELECT workspace_id, id, execution_id, kind, salt, secret_hash, created_at, expires_at FROM visit "
        "WHERE workspace_id = $1 AND id = $2 AND ended_at IS NULL",
        workspace_id,
        visit_id,
    )
    if row is None:
        return None
    facts = dict(row)
    kept = StoredSecret(facts.pop("salt"), facts.pop("secret_hash"))
    return BrowserBinding(kept=kept, **facts)


# Codes.


async def code_of(connection: Connection, workspace_id: UUID, link_id: UUID) -> CodeRow | None:
    """The code of a link, locked until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT salt, expires_at, attempts, sent, used_at, visit_id FROM link_code "
        "WHERE workspace_id = $1 AND link_id = $2 FOR UPDATE",
        workspace_id,
        link_id,
    )
    return None if row is None else CodeRow(**{**row, "sent": tuple(row["sent"])})


async def keep_code(connection: Connection, workspace_id: UUID, link_id: UUID, code: CodeRow) -> None:
    """Write a link's code over the one before."""
    await connection.execute(
        "INSERT INTO link_code (workspace_id, link_id, salt, expires_at, attempts, sent, used_at, visit_id) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (workspace_id, link_id) DO UPDATE SET "
        "salt = excluded.salt, expires_at = excluded.expires_at, attempts = excluded.attempts, sent = excluded.sent, "
        "used_at = excluded.used_at, visit_id = excluded.visit_id",
        workspace_id,
        link_id,
        code.salt,
        code.expires_at,
        code.attempts,
        list(code.sent),
        code.used_at,
        code.visit_id,
    )


def _link(row: DatabaseRow | None) -> Link | None:
    return None if row is None else made(dict(row))


def made(facts: dict[str, Any]) -> Link:
    """A link of `COLUMNS`."""
    return Link(**{**facts, "status": Status(facts["status"])})
