"""The SQL of workspaces, keys, refresh tokens and signing keys.

`find_…` call functions of the database that look across workspaces, because a credential has to be found before its
workspace is known. All else sees one workspace, the one that the connection serves.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from passerelle.accounts.models import ApiKey, ListedKey, PublicKey, RefreshToken
from passerelle.accounts.permissions import EVERYTHING
from passerelle.kit.database import Connection, DatabaseRow
from passerelle.kit.grants import Granted


async def insert_workspace(
    connection: Connection, workspace_id: UUID, organization_id: UUID | None, name: str, now: datetime
) -> None:
    """A new workspace; the connection must serve it already. Without an organization it gets one of its own."""
    await connection.execute(
        "INSERT INTO workspace (workspace_id, organization_id, name, created_at) VALUES ($1, $2, $3, $4)",
        workspace_id,
        organization_id,
        name,
        now,
    )


async def workspace_exists(connection: Connection, workspace_id: UUID) -> bool:
    """Whether the workspace that the connection serves is there."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM workspace WHERE workspace_id = $1)", workspace_id
    )
    return found


async def insert_key(connection: Connection, key: ApiKey, *, kind: str, public_id: str | None, now: datetime) -> None:
    """A new key (`kind` is `pair`) or organization token (`token`)."""
    await connection.execute(
        "INSERT INTO api_key (workspace_id, id, kind, name, public_id, secret_hash, api_version, roles, created_at, "
        "permissions, expires_at, networks, prefix, made_by, grants, made_by_user) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        key.workspace_id,
        key.id,
        kind,
        key.name,
        public_id,
        key.secret_hash,
        key.api_version,
        list(key.roles),
        now,
        sorted(key.permissions),
        key.expires_at,
        list(key.networks),
        key.prefix,
        key.made_by,
        [one.to_json() for one in key.granted],
        key.made_by_user,
    )


async def find_key(connection: Connection, public_id: str) -> ApiKey | None:
    """The key that is called `public_id`, unless it is revoked."""
    return _key(await connection.fetchrow("SELECT k.*, organization_of(workspace_id) FROM find_key($1) k", public_id))


async def find_organization_token(connection: Connection, token_hash: str) -> ApiKey | None:
    """The organization token with this hash, unless it is revoked."""
    return _key(
        await connection.fetchrow(
            "SELECT k.*, organization_of(workspace_id) FROM find_organization_token($1) k", token_hash
        )
    )


async def key_of_family(connection: Connection, workspace_id: UUID, key_id: UUID, family: UUID) -> ApiKey | None:
    """The key, unless it or the family of tokens that was got with it is revoked."""
    return _key(
        await connection.fetchrow(
            "SELECT k.*, w.organization_id AS organization_of FROM api_key k JOIN workspace w USING (workspace_id) "
            "WHERE workspace_id = $1 AND k.id = $2 AND NOT EXISTS "
            "(SELECT FROM refresh_token WHERE workspace_id = $1 AND family = $3 AND revoked_at IS NOT NULL)",
            workspace_id,
            key_id,
            family,
        )
    )


async def keys(connection: Connection, workspace_id: UUID, before: UUID | None, limit: int) -> list[ListedKey]:
    """The keys that are not revoked, the newest first, from the one `before` which the page ends."""
    rows = await connection.fetch(
        "SELECT k.*, w.organization_id AS organization_of, u.last_used_at FROM api_key k "
        "JOIN workspace w USING (workspace_id) "
        "LEFT JOIN api_key_use u ON u.workspace_id = k.workspace_id AND u.key_id = k.id "
        "WHERE k.workspace_id = $1 AND k.revoked_at IS NULL AND ($2::uuid IS NULL OR k.id < $2) "
        "ORDER BY k.id DESC LIMIT $3",
        workspace_id,
        before,
        limit,
    )
    return [
        ListedKey(found, row["kind"], row["created_at"], row["last_used_at"])
        for row in rows
        if (found := _key(row)) is not None
    ]


async def note_use(connection: Connection, workspace_id: UUID, key_id: UUID, now: datetime) -> None:
    """The key was used."""
    await connection.execute(
        "INSERT INTO api_key_use (workspace_id, key_id, last_used_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (workspace_id, key_id) DO UPDATE SET last_used_at = excluded.last_used_at",
        workspace_id,
        key_id,
        now,
    )


async def revoke_key(connection: Connection, workspace_id: UUID, key_id: UUID, now: datetime) -> bool:
    """End a key or organization token. Returns False where there is none that lives."""
    found = await connection.fetchval(
        "UPDATE api_key SET revoked_at = $3 WHERE workspace_id = $1 AND id = $2 AND revoked_at IS NULL RETURNING true",
        workspace_id,
        key_id,
        now,
    )
    return found is not None


async def insert_refresh_token(
    connection: Connection, token: RefreshToken, token_hash: str, now: datetime, expires_at: datetime
) -> None:
    """A new link of a family."""
    await connection.execute(
        "INSERT INTO refresh_token (workspace_id, id, family, key_id, token_hash, created_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        token.workspace_id,
        token.id,
        token.family,
        token.key_id,
        token_hash,
        now,
        expires_at,
    )


async def find_refresh_token(connection: Connection, token_hash: str) -> RefreshToken | None:
    """The refresh token with this hash, in whatever state."""
    row = await connection.fetchrow("SELECT * FROM find_refresh_token($1)", token_hash)
    return None if row is None else RefreshToken(row["workspace_id"], row["id"], row["family"], row["key_id"])


async def use_refresh_token(connection: Connection, token: RefreshToken, now: datetime) -> bool:
    """Use a refresh token, once: of two at the same time the second waits for the first and finds it used."""
    used = await connection.fetchval(
        "UPDATE refresh_token SET used_at = $3 WHERE workspace_id = $1 AND id = $2 "
        "AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $3 RETURNING true",
        token.workspace_id,
        token.id,
        now,
    )
    return used is not None


async def refresh_token_used_at(connection: Connection, token: RefreshToken) -> datetime | None:
    """When the token was used before."""
    used: datetime | None = await connection.fetchval(
        "SELECT used_at FROM refresh_token WHERE workspace_id = $1 AND id = $2", token.workspace_id, token.id
    )
    return used


async def is_refresh_token_unused(connection: Connection, workspace_id: UUID, token_hash: str) -> bool:
    """Whether the token with this hash lives, and nobody has used it."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM refresh_token "
        "WHERE workspace_id = $1 AND token_hash = $2 AND used_at IS NULL AND revoked_at IS NULL)",
        workspace_id,
        token_hash,
    )
    return found


async def revoke_family(connection: Connection, token: RefreshToken, now: datetime) -> None:
    """End every token of the family of one."""
    await connection.execute(
        "UPDATE refresh_token SET revoked_at = $3 WHERE workspace_id = $1 AND family = $2 AND revoked_at IS NULL",
        token.workspace_id,
        token.family,
        now,
    )


async def insert_signing_key(
    connection: Connection, workspace_id: UUID, key: PublicKey, encrypted: bytes, now: datetime, signs_from: datetime
) -> None:
    """A new signing key; the private half is encrypted."""
    await connection.execute(
        "INSERT INTO signing_key (workspace_id, id, public_pem, private_pem, created_at, signs_from) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        workspace_id,
        key.id,
        key.pem,
        encrypted,
        now,
        signs_from,
    )


async def current_signing_key(connection: Connection, workspace_id: UUID, now: datetime) -> tuple[UUID, bytes] | None:
    """The id and the encrypted private half of the key that signs for this workspace now."""
    row = await connection.fetchrow(
        "SELECT id, private_pem FROM signing_key "
        "WHERE workspace_id = $1 AND retired_at IS NULL AND coalesce(signs_from, created_at) <= $2 "
        "ORDER BY coalesce(signs_from, created_at) DESC, id DESC LIMIT 1",
        workspace_id,
        now,
    )
    return None if row is None else (row["id"], row["private_pem"])


async def public_signing_keys(connection: Connection, workspace_id: UUID) -> list[PublicKey]:
    """The public halves of a workspace's keys, retired ones too: what they signed can still be checked."""
    rows = await connection.fetch(
        "SELECT id, public_pem FROM signing_key WHERE workspace_id = $1 ORDER BY id", workspace_id
    )
    return [PublicKey(*row) for row in rows]


async def find_public_signing_key(connection: Connection, key_id: UUID) -> PublicKey | None:
    """The public half of any workspace's key."""
    row = await connection.fetchrow("SELECT * FROM find_public_signing_key($1)", key_id)
    return None if row is None else PublicKey(*row)


async def public_signing_key_of(connection: Connection, workspace_id: UUID, key_id: UUID) -> PublicKey | None:
    """The public half of a key, if it is this workspace's."""
    row = await connection.fetchrow(
        "SELECT id, public_pem FROM signing_key WHERE workspace_id = $1 AND id = $2", workspace_id, key_id
    )
    return None if row is None else PublicKey(*row)


async def forget_refresh_tokens(connection: Connection, before: datetime, at_most: int) -> int:
    """Delete refresh tokens of every workspace that expired before a time. Returns how many."""
    gone: int = await connection.fetchval("SELECT forget_refresh_tokens($1, $2)", before, at_most)
    return gone


def _key(row: DatabaseRow | None) -> ApiKey | None:
    if row is None or row["revoked_at"] is not None:
        return None
    return ApiKey(
        row["workspace_id"],
        row["id"],
        row["name"],
        row["secret_hash"],
        row["api_version"],
        tuple(row["roles"]),
        row["organization_of"],
        frozenset(row["permissions"]) & EVERYTHING,
        row["expires_at"],
        tuple(row["networks"]),
        row["prefix"] or (row["public_id"] or "pso_")[:8],
        row["made_by"] or "operator",
        row["made_by_user"],
        tuple(map(Granted.from_json, row["grants"])),
    )
