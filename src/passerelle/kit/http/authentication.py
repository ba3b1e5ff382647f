"""Who calls. Every path needs credentials unless it is listed as public, so that none can forget to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose credentials a request carries."""

    workspace_id: UUID
    key_id: UUID
    name: str
    """The key's name, for people: what `created by` shows."""
    api_version: int = 1
    """The version that answers requests which name none."""
    roles: frozenset[str] = frozenset()
    """What it may decide."""


class Authenticator(Protocol):
    """What finds the principal behind an `Authorization` header (`passerelle.accounts.tokens`)."""

    async def authenticate(self, authorization: bytes | None) -> Principal:
        """Raises CREDENTIALS_MISSING, TOKEN_EXPIRED or TOKEN_INVALID, all 401."""


class PublicPaths:
    """The paths that need no credentials. One that ends in `/`, except `/` itself, stands for all below it."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._exactly = frozenset(paths)
        self._below = tuple(path for path in paths if path.endswith("/") and path != "/")

    def __contains__(self, path: str) -> bool:
        return path in self._exactly or path.startswith(self._below)


class Authentication:
    """ASGI middleware: puts the principal on the request, or answers 401 where the path is not `public`."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, public: PublicPaths) -> None:
        self._app = app
        self._authenticator = authenticator
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, then let the application answer."""
        if scope["type"] == "http":
            state = scope["state"]
            state["authenticator"] = self._authenticator
            if scope["path"] not in self._public:
                state["principal"] = await self._authenticator.authenticate(authorization(scope))
        await self._app(scope, receive, send)


async def principal(request: Request) -> Principal:
    """Who calls. On a public path it authenticates now, so an endpoint there may ask too.

    Raises CREDENTIALS_MISSING, TOKEN_EXPIRED or TOKEN_INVALID, all 401.
    """
    state = request.scope["state"]
    found: Principal | None = state.get("principal")
    if found is None:
        found = await state["authenticator"].authenticate(authorization(request.scope))
        state["principal"] = found
    return found


def authorization(scope: Scope) -> bytes | None:
    """The `Authorization` header as it was sent."""
    return next((value for name, value in scope["headers"] if name == b"authorization"), None)
