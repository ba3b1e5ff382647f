"""Workspaces, keys, and what keys are exchanged for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
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
    following_refresh_token,
    new_organization_token,
    new_public_id,
    new_refresh_token,
    new_secret,
)
from passerelle.accounts.errors import (
    ADDRESS_REFUSED,
    INVALID_CREDENTIALS,
    KEY_NOT_FOUND,
    address_refused,
    unauthorized,
)
from passerelle.accounts.models import (
    PLAIN_TERMS,
    ApiKey,
    KeyTerms,
    ListedKey,
    NewKey,
    RefreshToken,
    Tokens,
    Workspace,
    is_role,
)
from passerelle.accounts.signing_keys import SigningKeys, generate_private_key
from passerelle.audit.models import Actor
from passerelle.audit.trail import AuditedAction, AuditTrail, present_origin, write_down
from passerelle.kit.clock import Clock, system_clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.memory import Memory
from passerelle.kit.observer import note_object
from passerelle.kit.rates import Rates
from passerelle.kit.secrets import SecretBox

REFRESH_LIFETIME: Final = timedelta(days=90)
LEEWAY: Final = timedelta(seconds=30)
"""How long a refresh token that was used gives the same successor to another process of the same client."""

_SHOWN: Final = 8
"""Characters of a key that lists show."""
_BATCH: Final = 5_000
_SIGN_INS_AT_ONCE: Final = 2


class UnknownWorkspaceError(LookupError):
    """There is no such workspace; one sentence says what to do."""


class Accounts:
    """The feature's service. `authenticator` is what the HTTP layer asks who calls."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        clock: Clock = system_clock,
        memory: Memory | None = None,
        rates: Rates | None = None,
        trail: AuditTrail | None = None,
    ) -> None:
        remembering = memory or Memory()
        self._database = database
        self._box = box
        self._clock = clock
        self._trail = trail
        self._hasher = SecretHasher()
        self._attempts = FailedAttempts(rates or Rates(clock))
        # Bounds what a burst of sign-ins takes from everything else; those that wait see the failures before them.
        self._turn = asyncio.Semaphore(_SIGN_INS_AT_ONCE)
        self._access_tokens = AccessTokens(box)
        self.signing_keys = SigningKeys(database, box, clock, remembering)
        self.authenticator = TokenAuthenticator(database, self._access_tokens, clock, remembering)

    async def create_workspace(self, name: str, organization_id: UUID | None = None) -> Workspace:
        """A new workspace with its signing key, in an organization that exists, or in a new one of the same name."""
        workspace_id = new_id()
        private = await generate_private_key()
        async with self._database.transaction(workspace_id) as connection:
            await repository.insert_workspace(connection, workspace_id, organization_id, name, self._clock())
            signing_key_id = await self.signing_keys.create(connection, workspace_id, private)
        return Workspace(workspace_id, name, signing_key_id)

    async def create_key(
        self,
        workspace_id: UUID,
        name: str,
        api_version: int = 1,
        roles: Sequence[str] = (),
        terms: KeyTerms = PLAIN_TERMS,
    ) -> NewKey:
        """A key and its secret, which nobody can read again. Raises `UnknownWorkspaceError`, `ValueError` for roles.

        `api_version` answers this key's requests that name no version; with its `roles` it decides reviews.
        """
        made = NewKey(new_id(), new_public_id(), new_secret())
        hashed = await self._hasher.hash(made.secret)
        key = ApiKey(workspace_id, made.id, name, hashed, api_version, checked_roles(roles))
        await self._insert(_with(terms, key, made.key), kind="pair", public_id=made.key)
        return made

    async def create_token(
        self,
        workspace_id: UUID,
        name: str,
        api_version: int = 1,
        roles: Sequence[str] = (),
        terms: KeyTerms = PLAIN_TERMS,
    ) -> NewKey:
        """An organization token, which is sent as it is, until it is revoked. Raises as `create_key`."""
        made = NewKey(new_id(), "", new_organization_token())
        key = ApiKey(workspace_id, made.id, name, digest(made.secret), api_version, checked_roles(roles))
        await self._insert(_with(terms, key, made.secret), kind="token", public_id=None)
        return made

    async def keys(self, workspace_id: UUID, before: UUID | None, limit: int) -> list[ListedKey]:
        """The keys and organization tokens that are not revoked, the newest first, older than the one `before`."""
        async with self._database.workspace(workspace_id) as connection:
            return await repository.keys(connection, workspace_id, before, limit)

    async def revoke_key(self, workspace_id: UUID, key_id: UUID) -> bool:
        """End a key, or an organization token, and every token got with it. False where none lives."""
        async with self._database.workspace(workspace_id) as connection:
            revoked = await repository.revoke_key(connection, workspace_id, key_id, self._clock())
        self.authenticator.forget(workspace_id)
        return revoked

    async def require_revoked(self, workspace_id: UUID, key_id: UUID) -> None:
        """As `revoke_key`. Raises KEY_NOT_FOUND where none lives."""
        if not await self.revoke_key(workspace_id, key_id):
            raise KEY_NOT_FOUND.error("the workspace has no key with this id: `GET /keys` lists them")

    async def authorize(self, key: str, secret: str, address: str) -> Tokens:
        """Tokens for a key and its secret, sent from the client's `address`.

        Raises INVALID_CREDENTIALS, the same for a wrong secret and an unknown key, or TOO_MANY_ATTEMPTS.
        """
        async with self._turn:
            found = await self._signed_in(key, secret, address)
        async with self._database.transaction(found.workspace_id) as connection:
            await write_down(connection, found.workspace_id, _signed_in(found), self._clock())
            return await self._issue(connection, found.workspace_id, found.id, new_id(), self._clock())

    async def refresh(self, refresh_token: str) -> Tokens:
        """Tokens for a refresh token, which ends. Raises INVALID_CREDENTIALS.

        Of two who send it within `LEEWAY` both get the same successor: they are processes of one client. One that
        comes later was stolen from one of the two who sent it: its whole family ends.
        """
        async with self._database.shared() as connection:
            token = await repository.find_refresh_token(connection, digest(refresh_token))
        if token is None:
            raise _cannot_refresh()
        now = self._clock()
        async with self._database.transaction(token.workspace_id) as connection:
            tokens = await self._rotate(connection, token, refresh_token, now)
        if tokens is None:
            self.authenticator.forget(token.workspace_id)
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
        if found is None:
            self._attempts.require_fewer_unknown(address)
        matches = await self._hasher.matches(None if found is None else found.secret_hash, secret)
        if found is None or not matches or _is_over(found, self._clock()):
            await self._attempts.note(key, address, known=found is not None)
            await self._refused(found, INVALID_CREDENTIALS.name)
            raise unauthorized(
                INVALID_CREDENTIALS,
                "`key` and `secret` do not belong together, or the key has ended: check both",
            )
        if not found.takes(address):
            await self._refused(found, ADDRESS_REFUSED.name)
            raise address_refused(found.name)
        return found

    async def _refused(self, key: ApiKey | None, code: str) -> None:
        """Write down that somebody tried a key, if there is one: nothing here takes longer for one."""
        if key is not None and self._trail is not None:
            what = replace(_signed_in(key), outcome="refused", code=code, origin=present_origin())
            await self._trail.gather(key.workspace_id, what, organization=False)

    async def _rotate(self, connection: Connection, token: RefreshToken, text: str, now: datetime) -> Tokens | None:
        following = self._successor(text)
        used = await repository.use_refresh_token(connection, token, now)
        if not used and not await self._is_repeated(connection, token, following, now):
            return None
        key = await repository.key_of_family(connection, token.workspace_id, token.key_id, token.family)
        if key is None or _is_over(key, now):
            return None
        if used:
            return await self._issue(connection, token.workspace_id, token.key_id, token.family, now, following)
        return Tokens(self._access_tokens.sign(token.workspace_id, token.key_id, token.family, now), following)

    async def _is_repeated(self, connection: Connection, token: RefreshToken, following: str, now: datetime) -> bool:
        """Whether a token that cannot be used was used a moment ago, and its successor by nobody yet."""
        used_at = await repository.refresh_token_used_at(connection, token)
        if used_at is None:
            return False
        fresh = now - used_at <= LEEWAY and await repository.is_refresh_token_unused(
            connection, token.workspace_id, digest(following)
        )
        if not fresh:
            await repository.revoke_family(connection, token, now)
        return fresh

    def _successor(self, text: str) -> str:
        """Follows from the token and our key, so that nothing readable has to be kept for the leeway."""
        return following_refresh_token(self._box.derive("refresh token"), text)

    async def _issue(
        self,
        connection: Connection,
        workspace_id: UUID,
        key_id: UUID,
        family: UUID,
        now: datetime,
        text: str | None = None,
    ) -> Tokens:
        text = text or new_refresh_token()
        token = RefreshToken(workspace_id, new_id(), family, key_id)
        await repository.insert_refresh_token(connection, token, digest(text), now, now + REFRESH_LIFETIME)
        return Tokens(self._access_tokens.sign(workspace_id, key_id, family, now), text)

    async def _insert(self, key: ApiKey, *, kind: str, public_id: str | None) -> None:
        async with self._database.transaction(key.workspace_id) as connection:
            if not await repository.workspace_exists(connection, key.workspace_id):
                raise UnknownWorkspaceError(
                    f"there is no workspace {key.workspace_id}: make one with `passerelle workspace create`"
                )
            note_object(key.id)
            await repository.insert_key(connection, key, kind=kind, public_id=public_id, now=self._clock())


def _with(terms: KeyTerms, key: ApiKey, text: str) -> ApiKey:
    return replace(
        key,
        permissions=terms.permissions,
        expires_at=terms.expires_at,
        networks=terms.networks,
        prefix=text[:_SHOWN],
        made_by=terms.made_by,
        made_by_user=terms.made_by_user,
        granted=terms.granted,
    )


def _signed_in(key: ApiKey) -> AuditedAction:
    return AuditedAction(
        "signIn", Actor("key", str(key.id), key.name), "access", object_kind="key", object_id=str(key.id)
    )


def _is_over(key: ApiKey, now: datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= now


def checked_roles(roles: Sequence[str]) -> tuple[str, ...]:
    """The roles, each once. A role is a word, or the e-mail address of the person who holds the key."""
    for role in roles:
        if not is_role(role):
            raise ValueError(f"`{role}` is no role: use 1 to 100 letters, digits, `.`, `_`, `+`, `-` and `@`")
    return tuple(dict.fromkeys(roles))


def _cannot_refresh() -> PasserelleError:
    return unauthorized(
        INVALID_CREDENTIALS,
        "this refresh token was used before, has expired, or was revoked: sign in again with `POST /auth/authorize`",
    )
