"""Signing in, and the public halves of signing keys. None of these needs credentials."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.responses import PlainTextResponse

from passerelle.accounts.access_tokens import ACCESS_LIFETIME
from passerelle.accounts.models import Tokens
from passerelle.accounts.schemas import AccessTokenAnswer, AuthorizeBody, KeySetAnswer, RefreshBody
from passerelle.accounts.service import Accounts
from passerelle.accounts.signing_keys import der_base64
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.permissions import Public

KeyId = Annotated[UUID, Path(description="The `kid` of a signature")]

_MAY_BE_KEPT: Final = {"Cache-Control": "public, max-age=300"}


def router(accounts: Accounts) -> APIRouter:
    """Everything under `/auth`, and the JWK set."""
    routes = APIRouter(tags=["Credentials"], route_class=ApiRoute, dependencies=[Public])

    @routes.post("/auth/authorize")
    async def authorize(request: Request, body: JsonBody[AuthorizeBody]) -> AccessTokenAnswer:
        """Exchange a key and its secret for an access token."""
        address = request.client.host if request.client else ""
        return _token_answer(await accounts.authorize(body.key, body.secret, address))

    @routes.post("/auth/refresh")
    async def refresh(body: JsonBody[RefreshBody]) -> AccessTokenAnswer:
        """Exchange a refresh token for a new access token and a new refresh token.

        Each refresh token is good for one exchange, within 90 days. One that is sent again ends the whole family
        of tokens that stems from the same sign-in.
        """
        return _token_answer(await accounts.refresh(body.refresh_token))

    @routes.get("/auth/webhooks/key/{key_id}", response_class=PlainTextResponse)
    async def read_signing_key(
        key_id: KeyId,
        pem: Annotated[Literal["true", "false"], Query(description="`true`: PEM; `false`: base64 of the DER")] = "true",
    ) -> Response:
        """The RSA public key that checks the signatures with this `kid`."""
        key = await accounts.signing_keys.public_key(key_id)
        text = key.pem if pem == "true" else der_base64(key.pem)
        return PlainTextResponse(text, headers=_MAY_BE_KEPT)

    @routes.get("/.well-known/jwks.json")
    async def read_signing_keys(
        response: Response, workspace: Annotated[UUID, Query(description="Whose keys: the workspace's id")]
    ) -> KeySetAnswer:
        """A workspace's public keys, as a JWK set. Nobody is told whose others there are."""
        response.headers.update(_MAY_BE_KEPT)
        return KeySetAnswer(**await accounts.signing_keys.jwks(workspace))

    return routes


def _token_answer(tokens: Tokens) -> AccessTokenAnswer:
    return AccessTokenAnswer(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expiry_duration=int(ACCESS_LIFETIME.total_seconds()),
    )
