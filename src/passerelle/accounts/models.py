"""What the feature works with."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant: everything belongs to one, and nothing crosses."""

    id: UUID
    name: str
    signing_key_id: UUID


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A credential that is not revoked: a key with its secret, or an organization token."""

    workspace_id: UUID
    id: UUID
    name: str
    secret_hash: str
    api_version: int
    roles: tuple[str, ...] = ()
    """What its holder may decide: reviews that are assigned to one of them."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. The secret is shown this once."""

    id: UUID
    key: str
    secret: str


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One link of a family: each use makes the next one."""

    workspace_id: UUID
    id: UUID
    family: UUID
    key_id: UUID


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets for its credentials."""

    access_token: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a workspace's signing key, for anybody."""

    id: UUID
    pem: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What a workspace signs with; `id` is the `kid` under which the public half is found."""

    id: UUID
    private: RSAPrivateKey
