"""The SQL of passkeys."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection
from passerelle.people.models import Passkey, PasskeyCredential, User

MOST: Final = 20
"""Passkeys of one person."""


async def of_user(connection: Connection, user_id: UUID) -> list[Passkey]:
    """A user's passkeys, the oldest first."""
    rows = await connection.fetch(
        "SELECT id, name, created_at, last_used_at FROM passkey WHERE user_id = $1 ORDER BY created_at, id", user_id
    )
    return [Passkey(**row) for row in rows]


async def credential_ids(connection: Connection, user_id: UUID) -> list[bytes]:
    """What the browser calls a user's passkeys."""
    rows = await connection.fetch("SELECT credential_id FROM passkey WHERE user_id = $1", user_id)
    return [row["credential_id"] for row in rows]


async def insert(
    connection: Connection, user: User, passkey: Passkey, credential_id: bytes, public_key: bytes, sign_count: int
) -> bool:
    """A new passkey. False where the user has `MOST`, or somebody has this one."""
    done = await connection.execute(
        "INSERT INTO passkey (organization_id, user_id, id, credential_id, public_key, sign_count, name, created_at) "
        "SELECT $1, $2, $3, $4, $5, $6, $7, $8 "
        "WHERE (SELECT count(*) FROM passkey WHERE user_id = $2) < $9 ON CONFLICT DO NOTHING",
        user.organization_id,
        user.id,
        passkey.id,
        credential_id,
        public_key,
        sign_count,
        passkey.name,
        passkey.created_at,
        MOST,
    )
    return bool(done == "INSERT 0 1")


async def delete(connection: Connection, user_id: UUID, passkey_id: UUID) -> bool:
    """Take a passkey away. False where the user has none with this id."""
    done = await connection.execute("DELETE FROM passkey WHERE user_id = $1 AND id = $2", user_id, passkey_id)
    return bool(done == "DELETE 1")


async def delete_all(connection: Connection, user_id: UUID) -> None:
    """Take all of a user's passkeys away."""
    await connection.execute("DELETE FROM passkey WHERE user_id = $1", user_id)


async def find(connection: Connection, credential_id: bytes) -> PasskeyCredential | None:
    """The passkey of any organization that a browser calls so."""
    row = await connection.fetchrow(
        "SELECT id, organization_id, user_id, public_key, sign_count FROM find_passkey($1)", credential_id
    )
    return None if row is None else PasskeyCredential(**row)


async def used(connection: Connection, passkey_id: UUID, sign_count: int, now: datetime) -> None:
    """Somebody signed in with it."""
    await connection.execute(
        "UPDATE passkey SET sign_count = $2, last_used_at = $3 WHERE id = $1", passkey_id, sign_count, now
    )
