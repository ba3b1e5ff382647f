"""The SQL of invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection, DatabaseRow, made_from
from passerelle.people.models import Enrolment, EnrolmentStatus
from passerelle.people.values import email_key

_STATUS: Final = (
    "CASE WHEN accepted_at IS NOT NULL THEN 'ACCEPTED' WHEN cancelled_at IS NOT NULL THEN 'CANCELLED' "
    "WHEN expires_at <= $1 THEN 'EXPIRED' ELSE 'PENDING' END"
)


async def insert(connection: Connection, enrolment: Enrolment, token_hash: str) -> None:
    """A new invitation."""
    await connection.execute(
        "INSERT INTO enrolment (organization_id, id, email, email_key, first_name, last_name, title, language, role, "
        "memberships, token_hash, invited_by, created_at, last_sent_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        enrolment.organization_id,
        enrolment.id,
        enrolment.email,
        email_key(enrolment.email),
        enrolment.first_name,
        enrolment.last_name,
        enrolment.title,
        enrolment.language,
        enrolment.role,
        {str(workspace_id): role for workspace_id, role in enrolment.memberships.items()},
        token_hash,
        enrolment.invited_by,
        enrolment.created_at,
        enrolment.last_sent_at,
        enrolment.expires_at,
    )


async def cancel_open(connection: Connection, email: str, now: datetime) -> None:
    """Withdraw what is open for an address: another invitation takes its place."""
    await connection.execute(
        "UPDATE enrolment SET cancelled_at = $2 WHERE email_key = $1 AND accepted_at IS NULL AND cancelled_at IS NULL",
        email_key(email),
        now,
    )


async def page(
    connection: Connection, status: EnrolmentStatus | None, now: datetime, limit: int, offset: int
) -> tuple[list[Enrolment], int]:
    """A page of invitations, the newest first, and how many there are."""
    where = f"WHERE $2::text IS NULL OR {_STATUS} = $2"
    rows = await connection.fetch(
        f"SELECT * FROM enrolment {where} ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4",
        now,
        status,
        limit,
        offset,
    )
    total: int = await connection.fetchval(f"SELECT count(*) FROM enrolment {where}", now, status)
    return [_enrolment(row) for row in rows], total


async def by_id(connection: Connection, enrolment_id: UUID, *, lock: bool = False) -> Enrolment | None:
    """An invitation. `lock`: until the transaction ends nobody else changes it."""
    row = await connection.fetchrow(
        f"SELECT * FROM enrolment WHERE id = $1{' FOR UPDATE' if lock else ''}", enrolment_id
    )
    return None if row is None else _enrolment(row)


async def find(connection: Connection, token_hash: str) -> Enrolment | None:
    """The invitation of any organization with this secret."""
    row = await connection.fetchrow("SELECT * FROM find_enrolment($1)", token_hash)
    return None if row is None else _enrolment(row)


async def renew(
    connection: Connection, enrolment_id: UUID, token_hash: str, now: datetime, expires_at: datetime
) -> Enrolment | None:
    """It was sent again."""
    row = await connection.fetchrow(
        "UPDATE enrolment SET token_hash = $2, last_sent_at = $3, expires_at = $4 WHERE id = $1 RETURNING *",
        enrolment_id,
        token_hash,
        now,
        expires_at,
    )
    return None if row is None else _enrolment(row)


async def cancel(connection: Connection, enrolment_id: UUID, now: datetime) -> Enrolment | None:
    """It was withdrawn."""
    row = await connection.fetchrow(
        "UPDATE enrolment SET cancelled_at = $2 WHERE id = $1 RETURNING *", enrolment_id, now
    )
    return None if row is None else _enrolment(row)


async def accept(connection: Connection, enrolment_id: UUID, user_id: UUID, now: datetime) -> None:
    """It was taken up."""
    await connection.execute(
        "UPDATE enrolment SET accepted_at = $2, user_id = $3 WHERE id = $1", enrolment_id, now, user_id
    )


def _enrolment(row: DatabaseRow) -> Enrolment:
    memberships = {UUID(workspace_id): role for workspace_id, role in row["memberships"].items()}
    return made_from(Enrolment, row, memberships=memberships)
