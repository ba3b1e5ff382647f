"""Finds out who calls, from the `Authorization` header; remembers it for ten seconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from passerelle.accounts import repository
from passerelle.accounts.access_tokens import AccessTokens, not_ours
from passerelle.accounts.credentials import ORGANIZATION_PREFIX, digest
from passerelle.accounts.errors import CREDENTIALS_MISSING, TOKEN_INVALID, unauthorized
from passerelle.accounts.models import ApiKey
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.http.authentication import Principal

REMEMBERED_FOR: Final = timedelta(seconds=10)
"""How long a revoked key or family may still be let in."""

_MOST_REMEMBERED: Final = 10_000
_LONGEST_TOKEN: Final = 4096


class TokenAuthenticator:
    """Knows access tokens, and organization tokens sent raw or after `Bearer`."""

    def __init__(self, database: Database, tokens: AccessTokens, clock: Clock) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._remembered: dict[bytes, tuple[Principal, datetime]] = {}

    async def authenticate(self, authorization: bytes | None) -> Principal:
        """Raises CREDENTIALS_MISSING, TOKEN_EXPIRED or TOKEN_INVALID, all 401."""
        if not authorization:
            raise unauthorized(
                CREDENTIALS_MISSING,
                "this address needs credentials: send `Authorization: Bearer <accessToken>`, "
                "with the token that `POST /auth/authorize` gives",
            )
        now = self._clock()
        remembered = self._remembered.get(authorization)
        if remembered is not None and now < remembered[1]:
            return remembered[0]
        principal, until = await self._find(_token_in(authorization), now)
        self._remember(authorization, principal, until)
        return principal

    def forget(self) -> None:
        """Look everybody up again: a key of this process was just revoked."""
        self._remembered.clear()

    async def _find(self, token: str, now: datetime) -> tuple[Principal, datetime]:
        until = now + REMEMBERED_FOR
        if token.startswith(ORGANIZATION_PREFIX):
            async with self._database.shared() as connection:
                key = await repository.find_organization_token(connection, digest(token))
        else:
            claims = self._tokens.verify(token, now)
            until = min(until, claims.expires_at)
            async with self._database.workspace(claims.workspace_id) as connection:
                key = await repository.key_of_family(connection, claims.key_id, claims.family)
        if key is None:
            raise unauthorized(
                TOKEN_INVALID,
                "this token was revoked, or is none of this server: get another one with `POST /auth/authorize`",
            )
        return _principal(key), until

    def _remember(self, authorization: bytes, principal: Principal, until: datetime) -> None:
        self._remembered.pop(authorization, None)
        if len(self._remembered) >= _MOST_REMEMBERED:
            # The one that was looked up longest ago: within seconds it would be looked up again anyway.
            del self._remembered[next(iter(self._remembered))]
        self._remembered[authorization] = (principal, until)


def _token_in(authorization: bytes) -> str:
    text = authorization.decode("latin-1").strip()
    scheme, _, rest = text.partition(" ")
    token = rest.strip() if scheme.lower() == "bearer" else text
    if not token.isascii() or len(token) > _LONGEST_TOKEN or " " in token:
        raise not_ours()
    return token


def _principal(key: ApiKey) -> Principal:
    return Principal(key.workspace_id, key.id, key.name, key.api_version, frozenset(key.roles))
