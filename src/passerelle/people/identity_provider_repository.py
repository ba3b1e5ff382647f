"""The SQL of identity providers. `box` encrypts and decrypts their secrets."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from passerelle.kit.database import Connection, DatabaseRow, made_from
from passerelle.kit.secrets import SecretBox
from passerelle.people.models import Provider


async def offered(connection: Connection) -> list[tuple[UUID, str]]:
    """Ids and names of the providers that anybody may see: those of the only organization."""
    rows = await connection.fetch("SELECT * FROM offered_identity_providers()")
    return [(row["id"], row["name"]) for row in rows]


async def all_providers(connection: Connection, box: SecretBox) -> list[Provider]:
    """The organization's providers by name."""
    return [_provider(row, box) for row in await connection.fetch("SELECT * FROM identity_provider ORDER BY name")]


async def find(connection: Connection, provider_id: UUID, box: SecretBox) -> Provider | None:
    """A provider of any organization."""
    row = await connection.fetchrow("SELECT * FROM find_identity_provider($1)", provider_id)
    return None if row is None else _provider(row, box)


async def issuer_of(connection: Connection, provider_id: UUID) -> str | None:
    """The issuer of one of the organization's providers."""
    found: str | None = await connection.fetchval("SELECT issuer FROM identity_provider WHERE id = $1", provider_id)
    return found


async def insert(connection: Connection, given: Provider, box: SecretBox, now: datetime) -> bool:
    """A new provider. False where the name is taken."""
    done = await connection.execute(
        "INSERT INTO identity_provider (organization_id, id, name, issuer, client_id, client_secret, scopes, "
        "group_claim, group_roles, default_role, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) ON CONFLICT DO NOTHING",
        given.organization_id,
        given.id,
        given.name,
        given.issuer,
        given.client_id,
        box.encrypt(given.client_secret.encode()),
        list(given.scopes),
        given.group_claim,
        dict(given.group_roles),
        given.default_role,
        now,
    )
    return bool(done == "INSERT 0 1")


async def update(connection: Connection, given: Provider, box: SecretBox, now: datetime) -> Provider | None:
    """Write what a provider is; without a secret it keeps the one that it has.

    Raises `UniqueViolationError` where another one has the name.
    """
    row = await connection.fetchrow(
        "UPDATE identity_provider SET name = $2, issuer = $3, client_id = $4, scopes = $5, group_claim = $6, "
        "group_roles = $7, default_role = $8, client_secret = coalesce($9, client_secret), updated_at = $10 "
        "WHERE id = $1 RETURNING *",
        given.id,
        given.name,
        given.issuer,
        given.client_id,
        list(given.scopes),
        given.group_claim,
        dict(given.group_roles),
        given.default_role,
        box.encrypt(given.client_secret.encode()) if given.client_secret else None,
        now,
    )
    return None if row is None else _provider(row, box)


async def delete(connection: Connection, provider_id: UUID) -> bool:
    """Forget a provider. False where there is none."""
    done = await connection.execute("DELETE FROM identity_provider WHERE id = $1", provider_id)
    return bool(done == "DELETE 1")


def _provider(row: DatabaseRow, box: SecretBox) -> Provider:
    secret = box.decrypt(row["client_secret"]).decode()
    return made_from(Provider, row, scopes=tuple(row["scopes"]), client_secret=secret)
