"""The messages that carry links and codes, in PostgreSQL. Every statement names the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from passerelle.kit.database import Connection
from passerelle.kit.jobs import enqueue
from passerelle.kit.json import JsonObject

EMAIL_JOB: Final = "link.email"

EmailKind = Literal["link", "code", "copy"]


@dataclass(frozen=True, slots=True)
class Email:
    """A message that carries a link, a code or a copy."""

    workspace_id: UUID
    id: UUID
    link_id: UUID
    kind: EmailKind
    base_url: str
    salt: bytes | None
    tries: int
    created_at: datetime
    send_until: datetime
    language: str | None = None
    """The language of who reads it, as far as it is known."""
    content: JsonObject | None = None
    """Of a copy: `title`, `text` and `version`."""


async def queue_email(connection: Connection, email: Email) -> None:
    """Write a message and the job that sends it."""
    await connection.execute(
        "INSERT INTO link_email (workspace_id, id, link_id, kind, base_url, salt, created_at, send_until, "
        "language, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        email.workspace_id,
        email.id,
        email.link_id,
        email.kind,
        email.base_url,
        email.salt,
        email.created_at,
        email.send_until,
        email.language,
        email.content,
    )
    await queue_again(connection, email, timedelta(0))


async def queue_again(connection: Connection, email: Email, delay: timedelta) -> None:
    """Write the job of a message's next attempt."""
    facts = {"workspaceId": str(email.workspace_id), "emailId": str(email.id)}
    await enqueue(connection, EMAIL_JOB, facts, after=delay)


async def codes_sent_to(connection: Connection, workspace_id: UUID, address: str, since: datetime) -> list[datetime]:
    """When codes of any link of the workspace were sent to an address, oldest first."""
    rows = await connection.fetch(
        "SELECT m.created_at FROM link_email m JOIN link l ON l.workspace_id = m.workspace_id AND l.id = m.link_id "
        "WHERE l.workspace_id = $1 AND lower(l.email) = lower($2) AND m.kind = 'code' AND m.created_at > $3 "
        "ORDER BY m.created_at",
        workspace_id,
        address,
        since,
    )
    return [row["created_at"] for row in rows]


async def copies_sent(connection: Connection, workspace_id: UUID, link_id: UUID, since: datetime) -> int:
    """How many copies a link has had."""
    sent: int = await connection.fetchval(
        "SELECT count(*) FROM link_email WHERE workspace_id = $1 AND link_id = $2 AND kind = 'copy' "
        "AND created_at > $3",
        workspace_id,
        link_id,
        since,
    )
    return sent


async def pending_email(connection: Connection, workspace_id: UUID, email_id: UUID) -> Email | None:
    """A message that is still to be sent."""
    row = await connection.fetchrow(
        "SELECT workspace_id, id, link_id, kind, base_url, salt, tries, created_at, send_until, language, "
        "content FROM link_email "
        "WHERE workspace_id = $1 AND id = $2 AND status = 'PENDING'",
        workspace_id,
        email_id,
    )
    return None if row is None else Email(**row)


async def note_try(connection: Connection, email: Email, error: str) -> None:
    """An attempt failed, and is not the last."""
    await connection.execute(
        "UPDATE link_email SET tries = tries + 1, error = $3 WHERE workspace_id = $1 AND id = $2",
        email.workspace_id,
        email.id,
        error,
    )


async def end_email(connection: Connection, email: Email, error: str | None, now: datetime) -> bool:
    """A message was sent, or given up for this reason; False if that was written before."""
    done = await connection.execute(
        "UPDATE link_email SET status = $3, tries = tries + 1, error = $4, ended_at = $5, content = NULL "
        "WHERE workspace_id = $1 AND id = $2 AND status = 'PENDING'",
        email.workspace_id,
        email.id,
        "SENT" if error is None else "FAILED",
        error,
        now,
    )
    return bool(done == "UPDATE 1")
