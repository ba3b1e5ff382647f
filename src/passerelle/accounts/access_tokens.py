"""Access tokens: JWTs (HS256) that live an hour and name the key and the family that they were got with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from passerelle.accounts.errors import TOKEN_EXPIRED, TOKEN_INVALID, unauthorized
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox

ACCESS_LIFETIME: Final = timedelta(hours=1)

_ISSUER: Final = "passerelle"
_ALGORITHMS: Final = ["HS256"]


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says."""

    workspace_id: UUID
    key_id: UUID
    family: UUID
    expires_at: datetime


class AccessTokens:
    """Signs with the first key of PASSERELLE_SECRET_KEY, verifies with each."""

    def __init__(self, box: SecretBox) -> None:
        self._keys = [OctKey.import_key(key) for key in box.derive_all("access token")]

    def sign(self, workspace_id: UUID, key_id: UUID, family: UUID, now: datetime) -> str:
        """A token that lives from `now` on."""
        claims = {
            "iss": _ISSUER,
            "sub": str(key_id),
            "wid": str(workspace_id),
            "fam": str(family),
            "jti": str(new_id()),
            "iat": int(now.timestamp()),
            "exp": int((now + ACCESS_LIFETIME).timestamp()),
        }
        return jwt.encode({"alg": "HS256"}, claims, self._keys[0])

    def verify(self, token: str, now: datetime) -> AccessClaims:
        """What a token of ours says. Raises TOKEN_INVALID, or TOKEN_EXPIRED for one that was valid once."""
        claims = _read(self._claims(token))
        if claims.expires_at <= now:
            raise unauthorized(
                TOKEN_EXPIRED,
                "the access token has expired: get another one with `POST /auth/refresh` or `POST /auth/authorize`",
            )
        return claims

    def _claims(self, token: str) -> dict[str, Any]:
        for key in self._keys:
            try:
                return jwt.decode(token, key, algorithms=_ALGORITHMS).claims
            except (JoseError, ValueError, RecursionError):
                continue  # not signed by this key, or no token at all
        raise not_ours()


def not_ours() -> PasserelleError:
    """TOKEN_INVALID, for whatever is wrong with a token: more would help only those who forge one."""
    return unauthorized(
        TOKEN_INVALID,
        "this is no valid token of this server: get one with `POST /auth/authorize` and send it as "
        "`Authorization: Bearer <accessToken>`",
    )


def _read(claims: dict[str, Any]) -> AccessClaims:
    try:
        if claims["iss"] != _ISSUER:
            raise not_ours()
        return AccessClaims(
            UUID(claims["wid"]),
            UUID(claims["sub"]),
            UUID(claims["fam"]),
            datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise not_ours() from None
