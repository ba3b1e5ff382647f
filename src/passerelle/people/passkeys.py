"""Passkeys (WebAuthn): added by who has signed in, and then enough to sign in.

A passkey counts as two factors: the device, and what unlocks it. What the device signs names our origin and a
challenge that is good once.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import NewId
from passerelle.people import passkey_repository, repository
from passerelle.people.errors import PASSKEYS_TOO_MANY
from passerelle.people.models import Passkey, PasskeyCredential, User
from passerelle.people.signing_in import failed

_NAME: Final = "Passerelle"
_LONGEST_ID: Final = 1_023
"""Bytes of a credential's id (Web Authentication Level 3, 4)."""

log = structlog.get_logger("passerelle.passkeys")


class Passkeys:
    """The feature's service for passkeys. `public_url` is what they are bound to."""

    most: Final = passkey_repository.MOST
    """Passkeys of one person."""

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
            return await passkey_repository.of_user(connection, user.id)

    async def offer(self, user: User) -> tuple[str, bytes]:
        """What the browser needs to make a passkey, as JSON, and the challenge that it must sign.

        Raises PASSKEYS_TOO_MANY, before a device keeps one that nobody takes.
        """
        async with self._database.organization(user.organization_id) as connection:
            known = await passkey_repository.credential_ids(connection, user.id)
        if len(known) >= passkey_repository.MOST:
            raise _too_many()
        options = generate_registration_options(
            rp_id=self._host,
            rp_name=_NAME,
            user_id=user.id.bytes,
            user_name=user.email,
            user_display_name=user.name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        )
        return options_to_json(options), options.challenge

    async def add(self, user: User, challenge: bytes, credential: Mapping[str, Any], name: str) -> None:
        """Keep a passkey that the browser made. Raises SIGN_IN_FAILED, PASSKEYS_TOO_MANY."""
        try:
            made = verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except Exception as error:  # the library reads a stranger's bytes, and fails in many ways
            log.warning("passkey.not_added", user=str(user.id), reason=repr(error)[:300])
            raise failed() from None
        if len(made.credential_id) > _LONGEST_ID:
            log.warning("passkey.not_added", user=str(user.id), reason="its id is too long")
            raise failed()
        async with self._database.organization(user.organization_id) as connection:
            kept = await passkey_repository.insert(
                connection,
                user,
                Passkey(self._new_id(), name[:100] or "passkey", self._clock()),
                made.credential_id,
                made.credential_public_key,
                made.sign_count,
            )
        if not kept:
            raise _too_many()

    async def remove(self, user: User, passkey_id: UUID) -> bool:
        """Take a passkey away. False where the user has none with this id."""
        async with self._database.organization(user.organization_id) as connection:
            return await passkey_repository.delete(connection, user.id, passkey_id)

    def ask(self) -> tuple[str, bytes]:
        """What the browser needs to sign in with any passkey of ours, as JSON, and the challenge."""
        options = generate_authentication_options(
            rp_id=self._host, user_verification=UserVerificationRequirement.REQUIRED
        )
        return options_to_json(options), options.challenge

    async def owner_of(self, credential: Mapping[str, Any]) -> User | None:
        """Whose passkey it says it is, whether or not it is."""
        known = await self._find(credential)
        if known is None:
            return None
        async with self._database.organization(known.organization_id) as connection:
            return await repository.user_by_id(connection, known.user_id)

    async def take(self, challenge: bytes, credential: Mapping[str, Any]) -> User:
        """Whose passkey has signed the challenge. Raises SIGN_IN_FAILED, whatever is wrong."""
        known = await self._find(credential)
        if known is None:
            raise failed()
        try:
            signed = verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=known.public_key,
                credential_current_sign_count=known.sign_count,
                require_user_verification=True,
            )
        except Exception as error:
            log.warning("passkey.refused", passkey=str(known.id), reason=repr(error)[:300])
            raise failed() from None
        async with self._database.organization(known.organization_id) as connection:
            await passkey_repository.used(connection, known.id, signed.new_sign_count, self._clock())
            user = await repository.user_by_id(connection, known.user_id)
        if user is None or user.state != "active":
            raise failed()
        return user

    async def _find(self, credential: Mapping[str, Any]) -> PasskeyCredential | None:
        try:
            credential_id = base64url_to_bytes(str(credential["id"])[:2000])
        except (KeyError, ValueError):
            return None
        async with self._database.shared() as connection:
            return await passkey_repository.find(connection, credential_id)


def _too_many() -> PasserelleError:
    return PASSKEYS_TOO_MANY.error(f"you have {passkey_repository.MOST} passkeys: take one away, then add another")
