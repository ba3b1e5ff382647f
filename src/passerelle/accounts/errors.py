"""The error codes of this feature."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code, PasserelleError

INVALID_CREDENTIALS: Final = Code(
    "INVALID_CREDENTIALS", 401, "The key and secret, or the refresh token, are not valid (any more)."
)
CREDENTIALS_MISSING: Final = Code("CREDENTIALS_MISSING", 401, "The request has no `Authorization` header.")
TOKEN_EXPIRED: Final = Code("TOKEN_EXPIRED", 401, "The access token's hour is over. Refresh it.")
TOKEN_INVALID: Final = Code("TOKEN_INVALID", 401, "The token is not one of this server, or was revoked.")
TOO_MANY_ATTEMPTS: Final = Code(
    "TOO_MANY_ATTEMPTS", 429, "Too many failed sign-ins. Wait as long as `Retry-After` says."
)
ADDRESS_REFUSED: Final = Code(
    "ADDRESS_REFUSED", 403, "The key is taken from certain networks only, and the request comes from elsewhere."
)
GRANT_INVALID: Final = Code(
    "GRANT_INVALID", 400, "A grant names something that is not there, or a permission that it cannot limit so."
)
KEY_NOT_FOUND: Final = Code("KEY_NOT_FOUND", 404, "The workspace has no key with this id that is not revoked.")
KEY_TERMS_INVALID: Final = Code("KEY_TERMS_INVALID", 400, "A key cannot be made like this; the message says why.")
SIGNING_KEY_NOT_FOUND: Final = Code("SIGNING_KEY_NOT_FOUND", 404, "There is no signing key with this id.")


def unauthorized(code: Code, message: str) -> PasserelleError:
    """A 401 that names the scheme, as RFC 9110 (11.6.1) asks for."""
    return code.error(message, headers={"WWW-Authenticate": "Bearer"})


def address_refused(name: str) -> PasserelleError:
    """ADDRESS_REFUSED, for the key of this name."""
    return ADDRESS_REFUSED.error(f"the key `{name}` is not taken from your address: `GET /keys` shows its networks")
