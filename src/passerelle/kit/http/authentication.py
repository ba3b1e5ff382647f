"""Who calls: told once for each request, by the credentials that it carries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol
from uuid import UUID

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from passerelle.kit.errors import PasserelleError
from passerelle.kit.grants import NO_GRANTS, Grant, Grants, Kind
from passerelle.kit.rates import Tally


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether something is allowed, as a truth value; where it is not, `reason` says why and what would help."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


ALLOWED: Final = Permit(True)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose credentials a request carries: those of a service (a key), or of a person (a session)."""

    workspace_id: UUID
    id: UUID
    """The key's or the user's id."""
    name: str
    """The key's or the person's name, for people: what `created by` shows."""
    api_version: int = 1
    """The version that answers requests which name none."""
    roles: frozenset[str] = frozenset()
    """What it may decide."""
    permissions: frozenset[str] = frozenset()
    """What it may do in its workspace, to everything."""
    grants: Grants = NO_GRANTS
    """What it may do besides, to some things only."""
    email: str | None = None
    """A person's address; None for a key."""
    kind: Literal["key", "user"] = "key"
    organization_id: UUID | None = None
    session_id: UUID | None = None
    authenticated_at: datetime | None = None
    """When the person last proved who they are; None for a key."""
    made_by_user: UUID | None = None
    """The user who made a key, where that is known; None for a person."""

    @property
    def organization(self) -> UUID:
        """The id of the organization that it belongs to; only in tests there may be none."""
        assert self.organization_id is not None, "every principal belongs to an organization"
        return self.organization_id

    @property
    def person(self) -> UUID | None:
        """The user who counts where persons are counted: whoever calls, or who made the key that does."""
        return self.id if self.kind == "user" else self.made_by_user

    def may(self, permission: str, kind: Kind | None = None) -> Permit:
        """Whether it may do what `permission` names: to everything, or to some things of a `kind`. And why not."""
        if permission in self.permissions or (kind is not None and self.grants.any(permission, kind)):
            return ALLOWED
        if limited := [one for one in self.grants if one.permission == permission]:
            return Permit(False, f"you have `{permission}` on some {limited[0].kind}s only, and this is about more")
        if self.kind == "key":
            return Permit(False, f"the key `{self.name}` was not given `{permission}`")
        roles = " and ".join(f"`{role}`" for role in sorted(self.roles)) or "no role"
        return Permit(False, f"you are {roles} here, which does not include `{permission}`")

    def reach(self, permission: str, kind: Kind, resource: str) -> Grant | None:
        """How far `permission` goes on a thing: a grant without limits, one with some, or None for not at all."""
        if permission in self.permissions:
            return Grant(kind, None, permission)
        return self.grants.on(permission, kind, resource)


class Authenticator(Protocol):
    """What finds the principal behind an `Authorization` header (`passerelle.accounts.authenticator`)."""

    async def authenticate(self, authorization: bytes | None, address: str | None = None) -> Principal:
        """`address`: where the request comes from, if it is to be looked at.

        Raises CREDENTIALS_MISSING, TOKEN_EXPIRED or TOKEN_INVALID, all 401, or ADDRESS_REFUSED (403).
        """


class SessionFinder(Protocol):
    """What finds the person behind the cookie of a session (`passerelle.people.authenticator`)."""

    async def authenticate(self, scope: Scope) -> Principal | None:
        """None where the request has no such cookie. Raises 401 for a session that is over, 403 for a forgery."""


class Allowance(Protocol):
    """What counts the requests of a workspace (`passerelle.quotas.service`)."""

    async def admit(self, workspace_id: UUID) -> Tally | None:
        """One more; where the workspace's quota stands. Raises REQUESTS_QUOTA_REACHED (429)."""


class Authentication:
    """ASGI middleware: notes who calls, or why nobody can be told. Endpoints say what they require (`permissions`).

    The `Authorization` header comes before the cookie of a session, where there are `sessions`. A workspace that has
    sent too many requests is refused as nobody is: what needs no credentials is answered.
    """

    def __init__(
        self,
        app: ASGIApp,
        authenticator: Authenticator,
        sessions: SessionFinder | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._sessions = sessions
        self._allowance = allowance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate whoever calls, then let the application answer."""
        if scope["type"] == "http":
            try:
                caller = await self._caller(scope)
                if self._allowance is not None:
                    scope["state"]["tally"] = await self._allowance.admit(caller.workspace_id)
                scope["state"]["principal"] = caller
            except PasserelleError as refusal:
                scope["state"]["refusal"] = refusal
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Principal:
        header = authorization(scope)
        if header is None and self._sessions is not None:
            person = await self._sessions.authenticate(scope)
            if person is not None:
                return person
        client = scope.get("client")
        return await self._authenticator.authenticate(header, client[0] if client else None)


async def principal(request: Request) -> Principal:
    """Who calls. Raises CREDENTIALS_MISSING, TOKEN_EXPIRED or TOKEN_INVALID (401), or what `SessionFinder` raises."""
    state = request.scope["state"]
    found: Principal | None = state.get("principal")
    if found is None:
        raise state["refusal"]
    return found


def authorization(scope: Scope) -> bytes | None:
    """The `Authorization` header as it was sent."""
    return next((value for name, value in scope["headers"] if name == b"authorization"), None)
