"""What the calls of this feature take and answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from passerelle.kit.http.answers import Answer
from passerelle.kit.http.bodies import Body


class AuthorizeBody(Body):
    """A key and its secret."""

    key: str = Field(max_length=200, description="Names the key.", examples=["psk_4kJ8sX2mQ9tVb1nLr6wYzA"])
    secret: str = Field(max_length=200, description="Was shown once, when the key was made.", examples=["pss_…"])


class RefreshBody(Body):
    """The refresh token of the last answer."""

    refresh_token: str = Field(max_length=200, description="Of the last answer.", examples=["psr_…"])


class AccessTokenAnswer(Answer):
    """An access token, and what the next one is got with."""

    access_token: str = Field(description="Send it as `Authorization: Bearer <accessToken>`.")
    refresh_token: str = Field(description="Good for one `POST /auth/refresh`, within 90 days.")
    expiry_duration: int = Field(description="Seconds that the access token lives.", examples=[3600])
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    """How the token is sent."""


class KeySetAnswer(Answer):
    """Every public key (RFC 7517)."""

    keys: list[dict[str, Any]] = Field(description="JSON Web Keys: `kty`, `use`, `alg`, `kid`, `n`, `e`.")
