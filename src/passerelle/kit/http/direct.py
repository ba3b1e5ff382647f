"""A short way to endpoints that take everything from the request themselves.

The framework asks each route in turn and prepares for parameters that such an endpoint does not have: that costs
several times what a small endpoint does. What is found here is called at once; all else goes the framework's way,
and so does every address that none of these endpoints has.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from passerelle.errors import PasserelleError
from passerelle.kit.http.errors import answer

Endpoint = Callable[[Request], Awaitable[Response]]

_ANSWERED: Final = (PasserelleError, HTTPException, RequestValidationError)
_ANY: Final = "{"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A route. `endpoint` is None where only the framework can call it."""

    first: str
    pattern: re.Pattern[str]
    methods: frozenset[str]
    endpoint: Endpoint | None
    route: Any


class DirectRoutes:
    """ASGI middleware, the innermost: calls an endpoint of `application`, or lets the framework do it."""

    def __init__(self, app: ASGIApp, *, application: FastAPI) -> None:
        self._app = app
        self._application = application
        self._found: dict[tuple[str, str], list[_Candidate]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = self._find(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        endpoint, route, parameters = found
        scope["route"] = route
        scope["path_params"] = parameters
        try:
            response = await endpoint(Request(scope, receive, send))
        except _ANSWERED as raised:
            response = answer(scope, raised)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[Endpoint, Any, dict[str, str]] | None:
        if self._found is None:
            self._found = _by_method_and_first(list(_candidates(self._application)))
        path: str = scope["path"]
        for one in self._found.get((scope["method"], path.split("/", 2)[1] if "/" in path else ""), ()):
            match = one.pattern.match(path)
            if match is not None:
                # The first that matches is the one that the framework would take, too.
                return None if one.endpoint is None else (one.endpoint, one.route, match.groupdict())
        return None


def _candidates(application: FastAPI) -> Iterator[_Candidate]:
    for context in iter_route_contexts(application.routes):
        path, pattern = getattr(context, "path", None), getattr(context, "path_regex", None)
        if path is None or pattern is None:
            continue
        first = path.split("/", 2)[1] if "/" in path else ""
        yield _Candidate(first, pattern, frozenset(context.methods or ()), _endpoint(context), context)


def _endpoint(context: RouteContext) -> Endpoint | None:
    """What can be called with the request alone, and answers by itself."""
    route = context.original_route
    if not isinstance(route, APIRoute) or context.dependencies or not inspect.iscoroutinefunction(route.endpoint):
        return None
    signature = inspect.signature(route.endpoint)
    if [*signature.parameters] != ["request"] or signature.return_annotation not in (Response, "Response"):
        return None
    endpoint: Endpoint = route.endpoint
    return endpoint


def _by_method_and_first(candidates: list[_Candidate]) -> dict[tuple[str, str], list[_Candidate]]:
    keys = {(method, one.first) for one in candidates for method in one.methods}
    return {
        (method, first): [
            one for one in candidates if method in one.methods and (one.first == first or one.first.startswith(_ANY))
        ]
        for method, first in keys
    }
