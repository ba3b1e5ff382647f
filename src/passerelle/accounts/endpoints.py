"""Signing in, and the public halves of signing keys. None of these needs credentials."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import PlainTextResponse

from passerelle.accounts.access_tokens import ACCESS_LIFETIME
from passerelle.accounts.models import Tokens
from passerelle.accounts.schemas import AuthorizeBody, RefreshBody, TokenAnswer
from passerelle.accounts.service import Accounts
from passerelle.accounts.signing_keys import der_base64
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.bodies import read, takes

_MAY_BE_KEPT: Final = {"Cache-Control": "public, max-age=300"}


def router(accounts: Accounts) -> APIRouter:
    """Everything under `/auth`, and the JWK set."""
    routes = APIRouter(tags=["Credentials"], route_class=ApiRoute)

    @routes.post("/auth/authorize", response_model=TokenAnswer, openapi_extra=takes(AuthorizeBody))
    async def authorize(request: Request) -> Response:
        """Exchange a key and its secret for an access token."""
        body = await read(request, AuthorizeBody)
        address = request.client.host if request.client else ""
        return _token_answer(await accounts.authorize(body.key, body.secret, address))

    @routes.post("/auth/refresh", response_model=TokenAnswer, openapi_extra=takes(RefreshBody))
    async def refresh(request: Request) -> Response:
        """Exchange a refresh token for a new access token and a new refresh token.

        Each refresh token is good for one exchange, within 90 days. One that is sent again ends the whole family
        of tokens that stems from the same sign-in.
        """
        body = await read(request, RefreshBody)
        return _token_answer(await accounts.refresh(body.refresh_token))

    @routes.get("/auth/webhooks/key/{key_id}", response_class=PlainTextResponse)
    async def read_signing_key(
        key_id: UUID,
        pem: Annotated[Literal["true", "false"], Query(description="`true`: PEM; `false`: base64 of the DER")] = "true",
    ) -> Response:
        """The RSA public key that checks the signatures with this `kid`."""
        key = await accounts.signing_keys.public_key(key_id)
        text = key.pem if pem == "true" else der_base64(key.pem)
        return PlainTextResponse(text, headers=_MAY_BE_KEPT)

    @routes.get("/.well-known/jwks.json", response_model=dict[str, Any])
    async def read_signing_keys() -> Response:
        """Every public key, as a JWK set."""
        return json_answer(await accounts.signing_keys.jwks(), headers=_MAY_BE_KEPT)

    return routes


def _token_answer(tokens: Tokens) -> Response:
    lifetime = int(ACCESS_LIFETIME.total_seconds())
    return json_answer(
        TokenAnswer(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            expiry_duration=lifetime,
        )
    )
