"""The error codes of this feature."""

from __future__ import annotations

from typing import Final

from passerelle.errors import Code, PasserelleError

INVALID_CREDENTIALS: Final = Code(
    "INVALID_CREDENTIALS", 401, "The key and secret, or the refresh token, are not valid (any more)."
)
CREDENTIALS_MISSING: Final = Code("CREDENTIALS_MISSING", 401, "The request has no `Authorization` header.")
TOKEN_EXPIRED: Final = Code("TOKEN_EXPIRED", 401, "The access token's hour is over. Refresh it.")
TOKEN_INVALID: Final = Code("TOKEN_INVALID", 401, "The token is not one of this server, or was revoked.")
TOO_MANY_ATTEMPTS: Final = Code(
    "TOO_MANY_ATTEMPTS", 429, "Too many failed sign-ins. Wait as long as `Retry-After` says."
)
SIGNING_KEY_NOT_FOUND: Final = Code("SIGNING_KEY_NOT_FOUND", 404, "There is no signing key with this id.")


def unauthorized(code: Code, message: str) -> PasserelleError:
    """A 401 that names the scheme, as RFC 9110 (11.6.1) asks for."""
    return code.error(message, headers={"WWW-Authenticate": "Bearer"})
