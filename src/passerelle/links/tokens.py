"""Tokens for the widget: JWTs (RS256) under the workspace's own key, so that browsers and integrators can read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import extract_compact

from passerelle.accounts.signing_keys import SigningKeys
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import parse_id
from passerelle.kit.json import loads
from passerelle.links.errors import WIDGET_TOKEN_EXPIRED, WIDGET_TOKEN_INVALID

TOKEN_LIFETIME: Final = timedelta(minutes=60)

_AUDIENCE: Final = "passerelle-widget"
"""Told apart from everything else that the key signs, webhooks above all."""
_LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a token says."""

    workspace_id: UUID
    id: UUID
    execution_id: UUID
    expires_at: datetime


class WidgetTokens:
    """Signs and reads tokens. `environment` is what browsers read out of them; `issuer` is this installation."""

    def __init__(self, keys: SigningKeys, environment: str, issuer: str) -> None:
        self._keys = keys
        self._environment = environment
        self._issuer = issuer

    async def sign(self, claims: TokenClaims, locale: str | None) -> str:
        """The token; the same claims under the same key give the same one."""
        key = await self._keys.of_workspace(claims.workspace_id)
        body = {
            "iss": self._issuer,
            "aud": _AUDIENCE,
            "sub": str(claims.execution_id),
            "jti": str(claims.id),
            "iat": int((claims.expires_at - TOKEN_LIFETIME).timestamp()),
            "exp": int(claims.expires_at.timestamp()),
            "environment": self._environment,
            "workspaceId": str(claims.workspace_id),
            "workflowId": str(claims.execution_id),
            **({"locale": locale} if locale is not None else {}),
        }
        header = {"alg": "RS256", "kid": str(key.id), "typ": "JWT"}
        return jwt.encode(header, body, key.jwk)

    async def read(self, token: str, now: datetime) -> TokenClaims:
        """What a token of ours says. Raises WIDGET_TOKEN_INVALID, or WIDGET_TOKEN_EXPIRED for one that was valid."""
        kid, workspace_id = _named(token)
        # Only a key of the workspace that the token names: another's must not speak for it.
        key = await self._keys.of(workspace_id, kid)
        if key is None:
            raise invalid()
        try:
            claims = _claims(jwt.decode(token, RSAKey.import_key(key.pem), algorithms=["RS256"]).claims)
        except (JoseError, ValueError, KeyError, TypeError, RecursionError, OverflowError, OSError):  # OSError: a time
            raise invalid() from None
        if claims.expires_at <= now:
            raise WIDGET_TOKEN_EXPIRED.error("the token's 60 minutes are over: get another one with `POST /token`")
        return claims


def invalid() -> PasserelleError:
    """WIDGET_TOKEN_INVALID, for whatever is wrong with a token."""
    return WIDGET_TOKEN_INVALID.error("this is no token of this server: get one with `POST /token`")


def _named(token: str) -> tuple[UUID, UUID]:
    """The key and the workspace that an unverified token names."""
    try:
        if len(token) > _LONGEST or not token.isascii():
            raise ValueError("no token")
        parts = extract_compact(token.encode())
        kid = parse_id(str(parts.headers()["kid"]))
        workspace_id = parse_id(str(loads(parts.payload)["workspaceId"]))
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        raise invalid() from None
    if kid is None or workspace_id is None:
        raise invalid()
    return kid, workspace_id


def _claims(claims: dict[str, Any]) -> TokenClaims:
    if claims["aud"] != _AUDIENCE:
        raise ValueError("another audience")
    return TokenClaims(
        UUID(claims["workspaceId"]),
        UUID(claims["jti"]),
        UUID(claims["sub"]),
        datetime.fromtimestamp(claims["exp"], UTC),
    )
