"""Workspaces, keys, and what keys are exchanged for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.accounts import repository
from passerelle.accounts.access_tokens import AccessTokens
from passerelle.accounts.attempts import FailedAttempts
from passerelle.accounts.authenticator import TokenAuthenticator
from passerelle.accounts.credentials import (
    SecretHasher,
    digest,
    new_organization_token,
    new_public_id,
    new_refresh_token,
    new_secret,
)
from passerelle.accounts.errors import INVALID_CREDENTIALS, unauthorized
from passerelle.accounts.models import ApiKey, NewKey, RefreshToken, SigningKey, Tokens, Workspace
from passerelle.accounts.signing_keys import SigningKeys, generate_private_key
from passerelle.errors import PasserelleError
from passerelle.kit.clock import Clock, system_clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox

REFRESH_LIFETIME: Final = timedelta(days=90)

_BATCH: Final = 5_000
_SIGN_INS_AT_ONCE: Final = 2
_ROLE: Final = re.compile(r"[\w.+@-]{1,100}")


class UnknownWorkspaceError(LookupError):
    """There is no such workspace; one sentence says what to do."""


class Accounts:
    """The feature's service. `authenticator` is what the HTTP layer asks who calls."""

    def __init__(self, database: Database, box: SecretBox, clock: Clock = system_clock) -> None:
        self._database = database
        self._clock = clock
        self._hasher = SecretHasher()
        self._attempts = FailedAttempts()
        # Bounds what a burst of sign-ins takes from everything else; those that wait see the failures before them.
        self._turn = asyncio.Semaphore(_SIGN_INS_AT_ONCE)
        self._access_tokens = AccessTokens(box)
        self.signing_keys = SigningKeys(database, box, clock)
        self.authenticator = TokenAuthenticator(database, self._access_tokens, clock)

    async def create_workspace(self, name: str) -> Workspace:
        """A new workspace with its signing key."""
        workspace_id = new_id()
        private = await generate_private_key()
        async with self._database.transaction(workspace_id) as connection:
            await repository.insert_workspace(connection, workspace_id, name, self._clock())
            signing_key_id = await self.signing_keys.create(connection, workspace_id, private)
        return Workspace(workspace_id, name, signing_key_id)

    async def create_key(
        self, workspace_id: UUID, name: str, api_version: int = 1, roles: Sequence[str] = ()
    ) -> NewKey:
        """A key and its secret, which nobody can read again. Raises `UnknownWorkspaceError`, `ValueError` for roles.

        `api_version` answers this key's requests that name no version; with its `roles` it decides reviews.
        """
        made = NewKey(new_id(), new_public_id(), new_secret())
        secret_hash = await self._hasher.hash(made.secret)
        key = ApiKey(workspace_id, made.id, name, secret_hash, api_version, checked_roles(roles))
        await self._insert(key, kind="pair", public_id=made.key)
        return made

    async def create_organization_token(
        self, workspace_id: UUID, name: str, api_version: int = 1, roles: Sequence[str] = ()
    ) -> str:
        """A token that is sent as it is, until it is revoked. Raises as `create_key`."""
        token = new_organization_token()
        key = ApiKey(workspace_id, new_id(), name, digest(token), api_version, checked_roles(roles))
        await self._insert(key, kind="token", public_id=None)
        return token

    async def revoke_key(self, workspace_id: UUID, key_id: UUID) -> bool:
        """End a key, or an organization token, and every token got with it. False where none lives.

        Other processes may let it in for ten more seconds.
        """
        async with self._database.workspace(workspace_id) as connection:
            revoked = await repository.revoke_key(connection, key_id, self._clock())
        self.authenticator.forget()
        return revoked

    async def signing_key(self, workspace_id: UUID) -> SigningKey:
        """What the workspace signs with."""
        return await self.signing_keys.of_workspace(workspace_id)

    async def authorize(self, key: str, secret: str, address: str) -> Tokens:
        """Tokens for a key and its secret, sent from the client's `address`.

        Raises INVALID_CREDENTIALS, the same for a wrong secret and an unknown key, or TOO_MANY_ATTEMPTS.
        """
        async with self._turn:
            found = await self._signed_in(key, secret, address)
        async with self._database.workspace(found.workspace_id) as connection:
            return await self._issue(connection, found.workspace_id, found.id, new_id(), self._clock())

    async def refresh(self, refresh_token: str) -> Tokens:
        """Tokens for a refresh token, which ends. Raises INVALID_CREDENTIALS.

        A refresh token that comes a second time was stolen from one of the two who sent it: its whole family ends.
        """
        async with self._database.shared() as connection:
            token = await repository.find_refresh_token(connection, digest(refresh_token))
        if token is None:
            raise _cannot_refresh()
        now = self._clock()
        async with self._database.transaction(token.workspace_id) as connection:
            tokens = await self._rotate(connection, token, now)
        if tokens is None:
            self.authenticator.forget()
            raise _cannot_refresh()
        return tokens

    async def forget_old(self) -> int:
        """Delete the refresh tokens that have expired, of every workspace. Returns how many."""
        total = 0
        async with self._database.shared() as connection:
            while gone := await repository.forget_refresh_tokens(connection, self._clock(), _BATCH):
                total += gone
        return total

    async def _signed_in(self, key: str, secret: str, address: str) -> ApiKey:
        self._attempts.require_fewer(key, address)
        async with self._database.shared() as connection:
            found = await repository.find_key(connection, key)
        matches = await self._hasher.matches(None if found is None else found.secret_hash, secret)
        if found is None or not matches:
            self._attempts.note(key, address)
            raise unauthorized(
                INVALID_CREDENTIALS,
                "`key` and `secret` do not belong together, or the key was revoked: check both",
            )
        return found

    async def _rotate(self, connection: Connection, token: RefreshToken, now: datetime) -> Tokens | None:
        if not await repository.use_refresh_token(connection, token.id, now):
            if await repository.was_refresh_token_used(connection, token.id):
                await repository.revoke_family(connection, token.family, now)
            return None
        if await repository.key_of_family(connection, token.key_id, token.family) is None:
            return None
        return await self._issue(connection, token.workspace_id, token.key_id, token.family, now)

    async def _issue(
        self, connection: Connection, workspace_id: UUID, key_id: UUID, family: UUID, now: datetime
    ) -> Tokens:
        text = new_refresh_token()
        token = RefreshToken(workspace_id, new_id(), family, key_id)
        await repository.insert_refresh_token(connection, token, digest(text), now, now + REFRESH_LIFETIME)
        return Tokens(self._access_tokens.sign(workspace_id, key_id, family, now), text)

    async def _insert(self, key: ApiKey, *, kind: str, public_id: str | None) -> None:
        async with self._database.transaction(key.workspace_id) as connection:
            if not await repository.workspace_exists(connection, key.workspace_id):
                raise UnknownWorkspaceError(
                    f"there is no workspace {key.workspace_id}: make one with `passerelle workspace create`"
                )
            await repository.insert_key(connection, key, kind=kind, public_id=public_id, now=self._clock())


def checked_roles(roles: Sequence[str]) -> tuple[str, ...]:
    """The roles, each once. A role is a word, or the e-mail address of the person who holds the key."""
    for role in roles:
        if not _ROLE.fullmatch(role):
            raise ValueError(f"`{role}` is no role: use 1 to 100 letters, digits, `.`, `_`, `+`, `-` and `@`")
    return tuple(dict.fromkeys(roles))


def _cannot_refresh() -> PasserelleError:
    return unauthorized(
        INVALID_CREDENTIALS,
        "this refresh token was used before, has expired, or was revoked: sign in again with `POST /auth/authorize`",
    )
