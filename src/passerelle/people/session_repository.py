"""The SQL of sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from passerelle.accounts.permissions import looked_up
from passerelle.kit.database import Connection, DatabaseRow, made_from
from passerelle.kit.grants import Granted
from passerelle.people.models import SessionUser, UserSession, permissions_of, shown_name


async def insert(connection: Connection, session: UserSession, token_hash: str) -> None:
    """A new session. One of a user: the connection must serve the user's organization."""
    await connection.execute(
        "INSERT INTO user_session (id, organization_id, user_id, token_hash, factors, pending, authenticated_at, "
        "created_at, last_seen_at, expires_at, address, user_agent) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        session.id,
        session.organization_id,
        session.user_id,
        token_hash,
        list(session.factors),
        session.pending,
        session.authenticated_at,
        session.created_at,
        session.last_seen_at,
        session.expires_at,
        session.address,
        session.user_agent,
    )


async def find(connection: Connection, token_hash: str) -> UserSession | None:
    """The session of any organization, or of nobody yet, that a secret names."""
    row = await connection.fetchrow("SELECT * FROM find_session($1)", token_hash)
    return None if row is None else _session(row)


async def end(connection: Connection, token_hash: str) -> None:
    """End the session that a secret names."""
    await connection.execute("SELECT end_session($1)", token_hash)


async def of_user(connection: Connection, user_id: UUID, now: datetime) -> list[UserSession]:
    """A user's sessions that last, the one that was seen last first."""
    rows = await connection.fetch(
        "SELECT * FROM user_session WHERE user_id = $1 AND authenticated_at IS NOT NULL AND expires_at > $2 "
        "ORDER BY last_seen_at DESC, id LIMIT 200",
        user_id,
        now,
    )
    return [_session(row) for row in rows]


async def end_of_user(connection: Connection, user_id: UUID, session_id: UUID) -> bool:
    """End one session of a user. False where there is none."""
    done = await connection.execute("DELETE FROM user_session WHERE user_id = $1 AND id = $2", user_id, session_id)
    return bool(done == "DELETE 1")


async def end_all(connection: Connection, user_id: UUID, besides: UUID | None = None) -> None:
    """End a user's sessions, `besides` one, and what sessions in other organizations had proved about them."""
    await connection.execute("UPDATE app_user SET sessions_ended_at = clock_timestamp() WHERE id = $1", user_id)
    await connection.execute(
        "DELETE FROM user_session WHERE user_id = $1 AND ($2::uuid IS NULL OR id <> $2)", user_id, besides
    )


async def touch(connection: Connection, session_id: UUID, now: datetime, address: str) -> None:
    """The session was seen."""
    await connection.execute(
        "UPDATE user_session SET last_seen_at = $2, address = $3 WHERE id = $1", session_id, now, address
    )


async def renew(connection: Connection, session: UserSession, token_hash: str, proved_before: datetime | None) -> bool:
    """Write when and how the person has proved who they are, and the new secret. False where it is another session by
    now, or none: `proved_before` says when they had proved it."""
    done = await connection.execute(
        "UPDATE user_session SET token_hash = $2, factors = $3, authenticated_at = $4, last_seen_at = $5 "
        "WHERE id = $1 AND authenticated_at IS NOT DISTINCT FROM $6",
        session.id,
        token_hash,
        list(session.factors),
        session.authenticated_at,
        session.last_seen_at,
        proved_before,
    )
    return bool(done == "UPDATE 1")


async def find_user(connection: Connection, token_hash: str, wanted: UUID | None) -> SessionUser | None:
    """Who has signed in with a secret, and what they may do in the workspace `wanted`; None for the one they saw last.

    None where the secret names no session that is complete.
    """
    row = await connection.fetchrow("SELECT * FROM session_stands($1, $2)", token_hash, wanted)
    if row is None:
        return None
    return made_from(
        SessionUser,
        row,
        session_id=row["id"],
        name=shown_name(row["first_name"], row["last_name"], row["email"]),
        roles=frozenset(filter(None, (row["role"], row["email_key"], row["workspace_role"]))),
        permissions=permissions_of(row["role"], row["workspace_role"], row["permissions"]),
        grants=looked_up(map(Granted.from_json, row["grants"] or ())),
    )


def _session(row: DatabaseRow) -> UserSession:
    return made_from(UserSession, row, factors=tuple(row["factors"]))
