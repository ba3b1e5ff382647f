"""What an endpoint requires of its caller, declared once, in its signature.

`caller: Annotated[Principal, Requires("can_run")]` checks the permission, hands the caller over, and stands in the
document. `dependencies=[Public]`, on an endpoint or on a router, says that no credentials are needed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final, get_type_hints

from fastapi import Depends, Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.params import Depends as Dependency
from fastapi.security.base import SecurityBase

from passerelle.kit.clock import system_clock
from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.grants import Kind, acting
from passerelle.kit.http.authentication import Principal, principal

PERMISSION_DENIED: Final = Code(
    "PERMISSION_DENIED", 403, "The credentials do not include the permission that the message names."
)


STEP_UP_REQUIRED: Final = Code(
    "STEP_UP_REQUIRED",
    403,
    "You signed in more than ten minutes ago. Prove once more who you are (`POST /me/authenticate`), then repeat this.",
)

FRESH_FOR: Final = timedelta(minutes=10)
"""How long a sign-in is good enough for what `fresh` says."""


class IdentifiedCaller(SecurityBase):
    """The dependency behind `Identified`: the caller, whoever it is."""

    scheme_name = "bearer"
    model = HTTPBearer(description="An access token of `POST /auth/authorize`, or an organization token.")

    async def __call__(self, request: Request) -> Principal:
        """Raises CREDENTIALS_MISSING, TOKEN_EXPIRED or TOKEN_INVALID (401)."""
        return await principal(request)


class Permitted(SecurityBase):
    """The dependency behind `Requires`: the caller, who has the permission."""

    scheme_name = "bearer"
    model = HTTPBearer(description="An access token of `POST /auth/authorize`, or an organization token.")

    def __init__(self, permission: str, *, fresh: bool = False, of: Kind | None = None) -> None:
        self.permission = permission
        self.fresh = fresh
        self.of = of

    async def __call__(self, request: Request) -> Principal:
        """Raises CREDENTIALS_MISSING, TOKEN_EXPIRED, TOKEN_INVALID (401), PERMISSION_DENIED or STEP_UP_REQUIRED."""
        caller = await principal(request)
        require(caller, self.permission, self.of)
        if self.fresh:
            require_fresh(caller)
        return caller


Identified: Final[Any] = Security(IdentifiedCaller())
"""For `Annotated[Principal, …]` in an endpoint's signature: the caller, who needs no permission for this."""


def Requires(  # noqa: N802 - stands where FastAPI's `Depends` stands
    permission: str, *, fresh: bool = False, of: Kind | None = None
) -> Any:
    """For `Annotated[Principal, …]` in an endpoint's signature: the caller, who must have `permission`.

    `fresh`: a person must have proved who they are within the last ten minutes. `of`: to have it on some things of this
    kind is enough, because the service looks at each thing itself (`require_on`, `passerelle.records.sight`).
    """
    return Security(Permitted(permission, fresh=fresh, of=of), scopes=[permission])


async def _no_credentials() -> None:
    """What an endpoint that anybody may call asks of its caller."""


Public: Final[Dependency] = Depends(_no_credentials)
"""For the `dependencies` of an endpoint, or of a router, that anybody may call."""


def require(caller: Principal, permission: str, of: Kind | None = None) -> None:
    """Raises PERMISSION_DENIED unless `caller` has `permission`: for what depends on the request's values."""
    verdict = caller.may(permission, of)
    if not verdict:
        raise denied(permission, verdict.reason)


def require_on(permission: str, kind: Kind, resource: object, seen_by: str, unseen: Callable[[], Exception]) -> None:
    """Whoever the request acts for has `permission` on this thing, by its id.

    seen_by   the permission by which such things are seen
    unseen    what is raised, about something that is not there, for who does not see it; else PERMISSION_DENIED
    """
    now = acting()
    if now is None or now.caller.reach(permission, kind, str(resource)) is not None:
        return
    if now.caller.reach(seen_by, kind, str(resource)) is None:
        raise unseen()
    raise denied(permission, f"you do not have it on this {kind}")


def require_reached(kind: Kind, resource: object, seen_by: str, unseen: Callable[[], Exception]) -> None:
    """As `require_on`, with the permission of the request's endpoint, if that may be had on some of the kind only."""
    now = acting()
    if now is not None and now.of == kind and now.permission is not None:
        require_on(now.permission, kind, resource, seen_by, unseen)


def denied(permission: str, reason: str, pointer: str | None = None) -> PasserelleError:
    """PERMISSION_DENIED, which names the permission."""
    return PERMISSION_DENIED.error(f"this needs the permission `{permission}`: {reason}", pointer)


def require_fresh(caller: Principal) -> None:
    """Raises STEP_UP_REQUIRED for a person whose last sign-in is older than `FRESH_FOR`; a key is always fresh."""
    if caller.authenticated_at is not None and system_clock() - caller.authenticated_at > FRESH_FOR:
        raise STEP_UP_REQUIRED.error(
            "you signed in more than ten minutes ago, and this needs a fresh proof: send `POST /me/authenticate`, or "
            "open `/sign-in?again`, then repeat the request"
        )


def required_permission(endpoint: Callable[..., Any], dependencies: list[Dependency]) -> Permitted | None:
    """The permission that an endpoint declares; None where it declares none."""
    return next((one for one in _declared(endpoint, dependencies) if isinstance(one, Permitted)), None)


def needs_no_permission(endpoint: Callable[..., Any], dependencies: list[Dependency]) -> bool:
    """Whether an endpoint declares that every caller with credentials may call it."""
    return any(isinstance(one, IdentifiedCaller) for one in _declared(endpoint, dependencies))


def is_public(endpoint: Callable[..., Any], dependencies: list[Dependency]) -> bool:
    """Whether an endpoint declares that anybody may call it."""
    return _no_credentials in _declared(endpoint, dependencies)


def _declared(endpoint: Callable[..., Any], dependencies: list[Dependency]) -> Iterator[Any]:
    hints = get_type_hints(endpoint, include_extras=True)
    for name in inspect.signature(endpoint).parameters:
        for one in getattr(hints.get(name), "__metadata__", ()):
            if isinstance(one, Dependency):
                yield one.dependency
    for one in dependencies:
        yield one.dependency
