"""Passkeys (WebAuthn): added by who has signed in, and then enough to sign in.

A passkey counts as two factors: the device, and what unlocks it. What the device signs names our origin and a
challenge that is good once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.people import repository
from passerelle.people.models import User
from passerelle.people.signing_in import failed

_NAME: Final = "Passerelle"
_MOST: Final = 20

log = structlog.get_logger("passerelle.passkeys")


@dataclass(frozen=True, slots=True)
class Passkey:
    """One device, or one account of a password manager."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None = None


class Passkeys:
    """The feature's service for passkeys. `public_url` is what they are bound to."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        parts = urlsplit(public_url)
        self._host = parts.hostname or "localhost"
        self._origin = f"{parts.scheme}://{parts.netloc}"

    async def of_user(self, user: User) -> list[Passkey]:
        """A user's passkeys, the oldest first."""
        async with self._database.organization(user.organization_id) as connection:
            rows = await connection.fetch(
                "SELECT id, name, created_at, last_used_at FROM passkey WHERE user_id = $1 ORDER BY created_at, id",
                user.id,
            )
        return [Passkey(row["id"], row["name"], row["created_at"], row["last_used_at"]) for row in rows]

    async def offer(self, user: User) -> tuple[str, bytes]:
        """What the browser needs to make a passkey, as JSON, and the challenge that it must sign."""
        async with self._database.organization(user.organization_id) as connection:
            rows = await connection.fetch("SELECT credential_id FROM passkey WHERE user_id = $1", user.id)
        options = generate_registration_options(
            rp_id=self._host,
            rp_name=_NAME,
            user_id=user.id.bytes,
            user_name=user.email,
            user_display_name=user.name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=row["credential_id"]) for row in rows],
        )
        return options_to_json(options), options.challenge

    async def add(self, user: User, challenge: bytes, credential: Mapping[str, Any], name: str) -> None:
        """Keep a passkey that the browser made. Raises SIGN_IN_FAILED."""
        try:
            made = verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            log.warning("passkey.not_added", user=str(user.id), reason=str(error)[:300])
            raise failed() from None
        async with self._database.organization(user.organization_id) as connection:
            await connection.execute(
                "INSERT INTO passkey (organization_id, user_id, id, credential_id, public_key, sign_count, name, "
                "created_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8 "
                "WHERE (SELECT count(*) FROM passkey WHERE user_id = $2) < $9 ON CONFLICT DO NOTHING",
                user.organization_id,
                user.id,
                self._new_id(),
                made.credential_id,
                made.credential_public_key,
                made.sign_count,
                name[:100] or "passkey",
                self._clock(),
                _MOST,
            )

    async def remove(self, user: User, passkey_id: UUID) -> bool:
        """Take a passkey away. False where the user has none with this id."""
        async with self._database.organization(user.organization_id) as connection:
            done = await connection.execute("DELETE FROM passkey WHERE user_id = $1 AND id = $2", user.id, passkey_id)
        return bool(done == "DELETE 1")

    def ask(self) -> tuple[str, bytes]:
        """What the browser needs to sign in with any passkey of ours, as JSON, and the challenge."""
        options = generate_authentication_options(
            rp_id=self._host, user_verification=UserVerificationRequirement.REQUIRED
        )
        return options_to_json(options), options.challenge

    async def owner_of(self, credential: Mapping[str, Any]) -> User | None:
        """Whose passkey it says it is, whether or not it is."""
        try:
            credential_id = base64url_to_bytes(str(credential["id"])[:2000])
        except (KeyError, ValueError):
            return None
        async with self._database.shared() as connection:
            row = await connection.fetchrow("SELECT * FROM find_passkey($1)", credential_id)
        if row is None:
            return None
        async with self._database.organization(row["organization_id"]) as connection:
            return await repository.user_by_id(connection, row["user_id"])

    async def take(self, challenge: bytes, credential: Mapping[str, Any]) -> User:
        """Whose passkey has signed the challenge. Raises SIGN_IN_FAILED, whatever is wrong."""
        try:
            credential_id = base64url_to_bytes(str(credential["id"])[:2000])
        except (KeyError, ValueError):
            raise failed() from None
        async with self._database.shared() as connection:
            row = await connection.fetchrow("SELECT * FROM find_passkey($1)", credential_id)
        if row is None:
            raise failed()
        try:
            signed = verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=row["public_key"],
                credential_current_sign_count=row["sign_count"],
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            log.warning("passkey.refused", passkey=str(row["id"]), reason=str(error)[:300])
            raise failed() from None
        async with self._database.organization(row["organization_id"]) as connection:
            await connection.execute(
                "UPDATE passkey SET sign_count = $2, last_used_at = $3 WHERE id = $1",
                row["id"],
                signed.new_sign_count,
                self._clock(),
            )
            user = await repository.user_by_id(connection, row["user_id"])
        if user is None or user.state != "active":
            raise failed()
        return user
