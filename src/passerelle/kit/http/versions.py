"""Which version of an endpoint answers: told by the route, chosen before anything else looks at the request.

A route says which versions it has (`openapi_extra=versions(1, 2, successor="/link")`). So every answer, refusals
included, carries the headers of its version, and one gate sees every use of a version that is going away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.media_types import Versioned, accept_header, negotiate

DEPRECATED: Final = 1
"""The version that is going away."""

_KEY: Final = "x-versions"


@dataclass(frozen=True, slots=True)
class Use:
    """A request that a deprecated version is to answer."""

    principal: Principal
    endpoint: str
    """Method and path, as the reference shows them: `GET /workflows/{workflowId}`."""
    successor: str | None
    """What replaces it: the same path where that has another version."""
    has_next: bool
    """Whether the endpoint itself has a version that stays."""
    user_agent: str | None


class VersionGate(Protocol):
    """Whoever counts and refuses uses of a deprecated version (`passerelle.deprecations`)."""

    async def admit(self, use: Use) -> bool:
        """Whether the answer is to carry a warning. Raises the error that answers instead."""


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    endpoint: str
    available: tuple[int, ...]
    successor: str | None


def versions(*available: int, successor: str | None = None) -> dict[str, Any]:
    """What a route's `openapi_extra` needs to say which versions it has.

    `successor` is the path of the endpoint that replaces version 1 of this one, with the names that the route's own
    path has: `/tables/cases/records/{case_id}`.
    """
    return {_KEY: {"available": list(available), "successor": successor}}


def version_of(request: Request) -> int:
    """The version that answers this request, whose route says which it has."""
    versioned: Versioned = request.scope["state"]["versioned"]
    return versioned.version


def succeeded_by(request: Request, path: str) -> None:
    """Name what replaces version 1 in this very answer, where that depends on what was found."""
    state = request.scope["state"]
    state["versioned"] = replace(state["versioned"], successor=path)


class Versions:
    """ASGI middleware, inside of authentication and outside of idempotency: notes the version on the request.

    A request that names none gets the version that its key pins. Raises UNSUPPORTED_VERSION, and what `gate` raises.
    """

    def __init__(self, app: ASGIApp, *, application: FastAPI, gate: VersionGate | None = None) -> None:
        self._app = app
        self._application = application
        self._gate = gate
        self._routes: dict[tuple[str, str], list[_Route]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            for route in self._candidates(scope):
                match = route.pattern.match(scope["path"])
                if match is not None:
                    await self._choose(route, match.groupdict(), scope)
                    break
        await self._app(scope, receive, send)

    async def _choose(self, route: _Route, names: dict[str, str], scope: Scope) -> None:
        state = scope["state"]
        principal: Principal | None = state.get("principal")
        default = principal.api_version if principal is not None else DEPRECATED
        version = negotiate(accept_header(scope), available=route.available, default=default)
        if version != DEPRECATED:
            state["versioned"] = Versioned(version)
            return
        # The path is the caller's: what is put into a header must not end it.
        quoted = {name: quote(value, safe="") for name, value in names.items()}
        successor = route.successor.format(**quoted) if route.successor is not None else None
        state["versioned"] = Versioned(version, successor)
        if principal is not None and self._gate is not None:
            use = Use(principal, route.endpoint, successor, len(route.available) > 1, _user_agent(scope))
            if await self._gate.admit(use):
                state["versioned"] = Versioned(version, successor, warned=True)

    def _candidates(self, scope: Scope) -> list[_Route]:
        if self._routes is None:
            self._routes = {}
            for route in _routes(self._application):
                self._routes.setdefault((route.method, _first(route.endpoint.split(" ", 1)[1])), []).append(route)
        return self._routes.get((scope["method"], _first(scope["path"])), [])


def _routes(application: FastAPI) -> Iterator[_Route]:
    for context in iter_route_contexts(application.routes):
        route = context.original_route
        said = (route.openapi_extra or {}).get(_KEY) if isinstance(route, APIRoute) else None
        path, pattern = getattr(context, "path", None), getattr(context, "path_regex", None)
        if said is None or path is None or pattern is None:
            continue
        shown = re.sub(r"\{(\w+)", lambda match: "{" + to_camel(match[1]), path)
        for method in sorted(context.methods or ()):
            yield _Route(method, pattern, f"{method} {shown}", tuple(said["available"]), said["successor"])


def _first(path: str) -> str:
    return path.split("/", 2)[1] if "/" in path else ""


def _user_agent(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), None)
