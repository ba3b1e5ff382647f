"""What the feature works with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from joserfc.jwk import RSAKey

from passerelle.accounts.permissions import EVERYTHING
from passerelle.kit.grants import Granted

_ROLE: Final = re.compile(r"[\w.+@-]{1,100}")


def is_role(name: str) -> bool:
    """Whether reviews can be assigned to it: a word, or the e-mail address of a person."""
    return _ROLE.fullmatch(name) is not None


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
    organization_id: UUID | None = None
    """Whose workspace it is; known of a key that was looked up."""
    permissions: frozenset[str] = EVERYTHING
    expires_at: datetime | None = None
    networks: tuple[str, ...] = ()
    """From where it is taken; from anywhere where none is named."""
    prefix: str = ""
    """What one may see of it: enough to recognise it."""
    made_by: str = ""
    made_by_user: UUID | None = None
    """The user who made it; None where it was made by command, or by a key of which that is not known."""
    granted: tuple[Granted, ...] = ()
    """What it may do besides its permissions, to some things only."""

    def takes(self, address: str) -> bool:
        """Whether it is taken from this address."""
        if not self.networks:
            return True
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in ip_network(network) for network in self.networks)


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as the list shows it."""

    key: ApiKey
    kind: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a new key may do, until when and from where.

    `made_by`: whoever makes it, for people; `made_by_user`: the user who answers for it, if one does.
    """

    permissions: frozenset[str] = EVERYTHING
    expires_at: datetime | None = None
    networks: tuple[str, ...] = ()
    made_by: str = "operator"
    made_by_user: UUID | None = None
    granted: tuple[Granted, ...] = ()


PLAIN_TERMS: Final = KeyTerms()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. The secret is shown this once. `key` is empty for a token, which is its secret."""

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


@dataclass(frozen=True)
class SigningKey:
    """What a workspace signs with; `id` is the `kid` under which the public half is found."""

    id: UUID
    private: RSAPrivateKey

    @cached_property
    def jwk(self) -> RSAKey:
        """The same for JWS and JWT. It takes longer to make than to sign with, and goes when the key is forgotten."""
        return RSAKey.import_key(self.private)
