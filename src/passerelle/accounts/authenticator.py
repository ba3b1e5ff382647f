"""Finds out who calls, from the `Authorization` header; remembers it for a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.accounts import repository
from passerelle.accounts.access_tokens import AccessTokens, not_ours
from passerelle.accounts.credentials import ORGANIZATION_PREFIX, digest
from passerelle.accounts.errors import CREDENTIALS_MISSING, TOKEN_EXPIRED, TOKEN_INVALID, address_refused, unauthorized
from passerelle.accounts.models import ApiKey
from passerelle.accounts.permissions import looked_up
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.http.authentication import Principal
from passerelle.kit.memory import Memory, Remembered

_MOST_REMEMBERED: Final = 10_000
_LONGEST_TOKEN: Final = 4096
_AGE: Final = 1.5
"""Seconds after which a revoked key is refused even if no word of it came."""
_NOTED_AGAIN_AFTER: Final = timedelta(minutes=1)


class TokenAuthenticator:
    """Knows access tokens, and organization tokens sent raw or after `Bearer`."""

    def __init__(self, database: Database, tokens: AccessTokens, clock: Clock, memory: Memory) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._remembered: Remembered[bytes, tuple[Principal, datetime, ApiKey]] = memory.of(
            ("api_key", "refresh_token"), lambda _, known: known[0].workspace_id, size=_MOST_REMEMBERED, age=_AGE
        )
        self._noted: dict[UUID, datetime] = {}

    async def authenticate(self, authorization: bytes | None, address: str | None = None) -> Principal:
        """Raises CREDENTIALS_MISSING, TOKEN_EXPIRED or TOKEN_INVALID, all 401, or ADDRESS_REFUSED."""
        if not authorization:
            raise unauthorized(
                CREDENTIALS_MISSING,
                "this address needs credentials: send `Authorization: Bearer <accessToken>`, "
                "with the token that `POST /auth/authorize` gives",
            )
        now = self._clock()
        known = self._remembered.find(authorization)
        if known is None or now >= known[1]:
            known = await self._remembered.read(authorization, lambda: self._find(_token_in(authorization), now))
        principal, _, key = known
        if key.networks and address is not None and not key.takes(address):
            raise address_refused(key.name)
        return principal

    def forget(self, workspace_id: UUID) -> None:
        """Look everybody of a workspace up again: a key or a family of tokens was just revoked in this process."""
        self._remembered.forget(workspace_id)

    async def _find(self, token: str, now: datetime) -> tuple[Principal, datetime, ApiKey]:
        until = datetime.max.replace(tzinfo=UTC)
        if token.startswith(ORGANIZATION_PREFIX):
            async with self._database.shared() as connection:
                key = await repository.find_organization_token(connection, digest(token))
        else:
            claims = self._tokens.verify(token, now)
            until = claims.expires_at
            async with self._database.workspace(claims.workspace_id) as connection:
                key = await repository.key_of_family(connection, claims.workspace_id, claims.key_id, claims.family)
        if key is None:
            raise unauthorized(
                TOKEN_INVALID,
                "this token was revoked, or is none of this server: get another one with `POST /auth/authorize`",
            )
        if key.expires_at is not None:
            until = min(until, key.expires_at)
        if until <= now:
            raise unauthorized(TOKEN_EXPIRED, f"the key `{key.name}` has expired: make another one")
        await self._note(key, now)
        return _principal(key), until, key

    async def _note(self, key: ApiKey, now: datetime) -> None:
        """Write that a key is in use, once a minute."""
        noted = self._noted.get(key.id)
        if noted is not None and now < noted + _NOTED_AGAIN_AFTER:
            return
        if len(self._noted) >= _MOST_REMEMBERED:
            self._noted.clear()
        self._noted[key.id] = now
        async with self._database.workspace(key.workspace_id) as connection:
            await repository.note_use(connection, key.workspace_id, key.id, now)


def _token_in(authorization: bytes) -> str:
    text = authorization.decode("latin-1").strip()
    scheme, _, rest = text.partition(" ")
    token = rest.strip() if scheme.lower() == "bearer" else text
    if not token.isascii() or len(token) > _LONGEST_TOKEN or " " in token:
        raise not_ours()
    return token


def _principal(key: ApiKey) -> Principal:
    return Principal(
        workspace_id=key.workspace_id,
        id=key.id,
        name=key.name,
        api_version=key.api_version,
        roles=frozenset(key.roles),
        permissions=key.permissions,
        grants=looked_up(key.granted),
        organization_id=key.organization_id,
        made_by_user=key.made_by_user,
    )
