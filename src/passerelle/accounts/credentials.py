"""Keys, secrets and tokens: how they look, and how they are kept.

Everything random has 256 bits. A key's secret is kept as Argon2id; tokens that are looked up by their hash
as SHA-256, which is enough for what nobody can guess.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

ORGANIZATION_PREFIX: Final = "pso_"


def new_public_id() -> str:
    """`psk_` and 22 characters: names a key, and is no secret."""
    return f"psk_{secrets.token_urlsafe(16)}"


def new_secret() -> str:
    """`pss_` and 43 characters."""
    return f"pss_{secrets.token_urlsafe(32)}"


def new_organization_token() -> str:
    """`pso_` and 43 characters."""
    return f"{ORGANIZATION_PREFIX}{secrets.token_urlsafe(32)}"


def new_refresh_token() -> str:
    """`psr_` and 43 characters."""
    return f"psr_{secrets.token_urlsafe(32)}"


def following_refresh_token(key: bytes, token: str) -> str:
    """The refresh token that follows from another, for whoever has the key."""
    made = hmac.digest(key, token.encode(), "sha256")
    return f"psr_{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def digest(token: str) -> str:
    """The hash that a token is looked up by."""
    return hashlib.sha256(token.encode()).hexdigest()


class SecretHasher:
    """Argon2id, in a thread: it would hold up every other request."""

    def __init__(self) -> None:
        # OWASP's least costly choice for Argon2id: 19 MiB and some 20 ms; our secrets are random, not chosen.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._nobodys = self._hasher.hash("nobody's secret")

    async def hash(self, secret: str) -> str:
        """What to keep of a secret."""
        return await asyncio.to_thread(self._hasher.hash, secret)

    async def matches(self, kept: str | None, secret: str) -> bool:
        """Whether `secret` is the one that was kept. None (an unknown key) takes the same time, and is False."""
        matches = await asyncio.to_thread(self._verify, kept or self._nobodys, secret)
        return matches and kept is not None

    def _verify(self, kept: str, secret: str) -> bool:
        try:
            return self._hasher.verify(kept, secret)
        except VerificationError:
            return False
