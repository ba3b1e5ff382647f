"""RSA keys that workspaces sign webhooks and widget tokens with."""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from joserfc.jwk import RSAKey

from passerelle.accounts import repository
from passerelle.accounts.errors import SIGNING_KEY_NOT_FOUND
from passerelle.accounts.models import PublicKey, SigningKey
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import new_id
from passerelle.kit.memory import Memory, Remembered
from passerelle.kit.secrets import CannotDecryptError, SecretBox

_MOST_KEPT: Final = 1_000


class SigningKeys:
    """Makes, keeps and gives signing keys. The private half is encrypted at rest."""

    def __init__(self, database: Database, box: SecretBox, clock: Clock, memory: Memory | None = None) -> None:
        self._database = database
        self._box = box
        self._clock = clock
        self._kept: Remembered[UUID, SigningKey] = (memory or Memory()).of(
            ("signing_key",), lambda workspace_id, _: workspace_id, size=_MOST_KEPT
        )
        self._loading = asyncio.Lock()

    async def create(
        self, connection: Connection, workspace_id: UUID, private: RSAPrivateKey, signs_from: datetime | None = None
    ) -> UUID:
        """Keep `private` as the workspace's key, in the caller's transaction; it signs from now on, or from
        `signs_from`. Returns its id."""
        key = PublicKey(new_id(), _public_pem(private.public_key()))
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        now = self._clock()
        await repository.insert_signing_key(
            connection, workspace_id, key, self._box.encrypt(pem), now, signs_from or now
        )
        return key.id

    async def rotate(self, workspace_id: UUID, overlap: timedelta) -> tuple[UUID, datetime]:
        """Make a new key, which is published at once and signs after `overlap`; the id and that time.

        The key before stays published, so that what it has signed can still be checked.
        """
        private = await generate_private_key()
        signs_from = self._clock() + overlap
        async with self._database.transaction(workspace_id) as connection:
            return await self.create(connection, workspace_id, private, signs_from), signs_from

    async def can_be_read(self) -> bool:
        """Whether this process opens the first or the last key of the installation, or there is none.

        Both: while keys are changed over, a process that knows one of two lists reads only one of them.
        """
        rows = await self._database.ask("outer_signing_keys")
        return not rows or any(self._opens(row["private_pem"]) for row in rows)

    def _opens(self, encrypted: bytes) -> bool:
        try:
            self._box.decrypt(encrypted)
        except CannotDecryptError:
            return False
        return True

    async def of_workspace(self, workspace_id: UUID) -> SigningKey:
        """What the workspace signs with, as it was a few seconds ago at most."""
        kept = self._kept.find(workspace_id)
        if kept is not None:
            return kept
        # One at a time: the others who need it find it loaded.
        async with self._loading:
            return await self._kept.get(workspace_id, lambda: self._load(workspace_id))

    async def public_key(self, key_id: UUID) -> PublicKey:
        """The public half of any workspace's key. Raises SIGNING_KEY_NOT_FOUND."""
        async with self._database.shared() as connection:
            found = await repository.find_public_signing_key(connection, key_id)
        if found is None:
            raise SIGNING_KEY_NOT_FOUND.error(
                f"there is no signing key {key_id}: take the `kid` of the signature's header"
            )
        return found

    async def of(self, workspace_id: UUID, key_id: UUID) -> PublicKey | None:
        """The public half of a key, or None if this workspace has never had it."""
        async with self._database.workspace(workspace_id) as connection:
            return await repository.public_signing_key_of(connection, workspace_id, key_id)

    async def jwks(self, workspace_id: UUID) -> dict[str, Any]:
        """A workspace's public keys, as a JWK set (RFC 7517); an empty one where there is no such workspace."""
        async with self._database.workspace(workspace_id) as connection:
            keys = await repository.public_signing_keys(connection, workspace_id)
        return {"keys": [_jwk(key) for key in keys]}

    async def _load(self, workspace_id: UUID) -> SigningKey:
        async with self._database.workspace(workspace_id) as connection:
            found = await repository.current_signing_key(connection, workspace_id, self._clock())
        if found is None:
            raise LookupError(f"workspace {workspace_id} has no signing key")
        key_id, encrypted = found
        # What we have encrypted ourselves is a proper key; checking it again takes 100 ms.
        private = load_pem_private_key(self._box.decrypt(encrypted), None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(private, RSAPrivateKey):
            raise TypeError(f"signing key {key_id} is not an RSA key")
        return SigningKey(key_id, private)


async def generate_private_key() -> RSAPrivateKey:
    """A fresh RSA key of 2048 bits; made in a thread, for it takes up to a second."""
    return await asyncio.to_thread(rsa.generate_private_key, 65537, 2048)


def der_base64(pem: str) -> str:
    """A public key as base64 of its DER (SubjectPublicKeyInfo)."""
    der = load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def _public_pem(key: RSAPublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _jwk(key: PublicKey) -> dict[str, Any]:
    facts = {"kid": str(key.id), "use": "sig", "alg": "RS256"}
    return {**RSAKey.import_key(key.pem).as_dict(private=False), **facts}
