"""Finds out which person calls, from the cookie of a session; remembers it for a moment.

A browser sends its cookie with whatever request any site makes it send. So one that may change something is taken
only where the browser says that a page of ours sent it, or with a header that no other site can add.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from starlette.types import Scope

from passerelle.accounts.credentials import digest
from passerelle.kit.clock import Clock
from passerelle.kit.connections import NO_WORKSPACE
from passerelle.kit.database import Database
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.prefix import strict_cookie
from passerelle.kit.ids import parse_id
from passerelle.people import session_repository
from passerelle.people.errors import REQUEST_FORGED, WORKSPACE_NOT_FOUND, over
from passerelle.people.models import SessionUser
from passerelle.people.sessions import Sessions

REMEMBERED_FOR: Final = timedelta(seconds=1.5)
"""How long a session that ended in another process may still be let in."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CLIENT_HEADER: Final = b"x-passerelle-client"
WORKSPACE_HEADER: Final = b"x-workspace"

_MOST_REMEMBERED: Final = 10_000
_SEEN_AGAIN_AFTER: Final = timedelta(minutes=1)


class SessionAuthenticator:
    """Knows people who have signed in. `secure`: whether cookies travel over TLS only."""

    def __init__(self, database: Database, sessions: Sessions, clock: Clock, public_url: str) -> None:
        self._database = database
        self._sessions = sessions
        self._clock = clock
        self._host = urlsplit(public_url).netloc
        self.secure = public_url.startswith("https:")
        self.cookie = strict_cookie("passerelle-session", public_url)
        self.form_cookie = strict_cookie("passerelle-form", public_url)
        self._remembered: dict[tuple[str, UUID | None], tuple[Principal, datetime]] = {}

    async def authenticate(self, scope: Scope) -> Principal | None:
        """Who has signed in in this browser; None where the request has no cookie of ours.

        Raises SESSION_OVER (401), REQUEST_FORGED (403) or WORKSPACE_NOT_FOUND (404).
        """
        secret = self.secret_in(scope)
        if secret is None:
            return None
        if scope["method"] not in SAFE:
            self._require_own(scope)
        wanted = _wanted_workspace(scope)
        now = self._clock()
        key = (digest(secret), wanted)
        remembered = self._remembered.get(key)
        if remembered is not None and now < remembered[1]:
            return remembered[0]
        principal = await self._find(key, now, _address(scope))
        self._remember(key, principal, now)
        return principal

    def secret_in(self, scope: Scope) -> str | None:
        """The session's secret that the browser sent."""
        for name, value in scope["headers"]:
            if name == b"cookie" and self.cookie.encode() in value:
                return _cookie(value.decode("latin-1"), self.cookie)
        return None

    def forget(self) -> None:
        """Look everybody up again: a session of this process has just ended, or a role changed."""
        self._remembered.clear()

    def came_from_here(self, scope: Scope) -> bool:
        """Whether nothing says that another site had the request sent."""
        headers = {name: value for name, value in scope["headers"] if name in _TELLING}
        site = headers.get(b"sec-fetch-site", b"same-origin")
        origin = headers.get(b"origin", b"null").decode("latin-1")
        ours = origin == "null" or urlsplit(origin).netloc in (headers.get(b"host", b"").decode("latin-1"), self._host)
        return site in (b"same-origin", b"none") and ours

    def _require_own(self, scope: Scope) -> None:
        marked = any(
            (name == CLIENT_HEADER and value) or (name == b"sec-fetch-site" and value == b"same-origin")
            for name, value in scope["headers"]
        )
        if not marked:
            raise REQUEST_FORGED.error(
                "with a session's cookie, requests that change something need the header `X-Passerelle-Client`, "
                "such as `X-Passerelle-Client: dashboard`; programs use a key instead"
            )
        if not self.came_from_here(scope):
            raise REQUEST_FORGED.error("the request was sent by another site")

    async def _find(self, key: tuple[str, UUID | None], now: datetime, address: str) -> Principal:
        token_hash, wanted = key
        async with self._database.shared() as connection:
            found = await session_repository.find_user(connection, token_hash, wanted)
        if found is None or found.state != "active" or found.expires_at <= now:
            raise over()
        if found.last_seen_at + self._sessions.idle <= now:
            raise over()
        if wanted is not None and found.workspace_id is None:
            raise WORKSPACE_NOT_FOUND.error(f"there is no workspace {wanted}, or you are no member of it")
        if found.last_seen_at + _SEEN_AGAIN_AFTER <= now:
            async with self._database.organization(found.organization_id) as connection:
                await session_repository.touch(connection, found.session_id, now, address)
        return _principal(found)

    def _remember(self, key: tuple[str, UUID | None], principal: Principal, now: datetime) -> None:
        self._remembered.pop(key, None)
        if len(self._remembered) >= _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[key] = (principal, now + REMEMBERED_FOR)


_TELLING: Final = (b"sec-fetch-site", b"origin", b"host")


def _principal(found: SessionUser) -> Principal:
    return Principal(
        workspace_id=NO_WORKSPACE if found.workspace_id is None else found.workspace_id,
        id=found.user_id,
        name=found.name,
        api_version=2,
        roles=found.roles,
        permissions=found.permissions,
        grants=found.grants,
        email=found.email,
        kind="user",
        organization_id=found.organization_id,
        session_id=found.session_id,
        authenticated_at=found.authenticated_at,
    )


def _wanted_workspace(scope: Scope) -> UUID | None:
    text = next((value for name, value in scope["headers"] if name == WORKSPACE_HEADER), None)
    if text is None:
        return None
    found = parse_id(text.decode("latin-1"))
    if found is None:
        raise WORKSPACE_NOT_FOUND.error("`X-Workspace` must be the id of a workspace: `GET /me` lists yours")
    return found


def _cookie(header: str, name: str) -> str | None:
    try:
        jar = SimpleCookie(header)
    except CookieError:
        return None
    return jar[name].value if name in jar else None


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
