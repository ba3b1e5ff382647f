"""Endpoints that are called so often that what the framework does around them counts: `@hot` on the function.

The declaration stays what it is, and whatever is checked of a request is checked; but the endpoint is found by its
address, not by asking each route in turn, and called without what the framework prepares for parameters that it does
not have.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any, Final, Protocol, TypeVar, get_type_hints

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import body_facts
from passerelle.kit.http.idempotency import IdempotentId, idempotent_id

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
F = TypeVar("F", bound=Callable[..., Any])

_MARK: Final = "__passerelle_hot__"


class HotRoute(Protocol):
    """The route of a hot endpoint (`passerelle.kit.http.api_route`)."""

    path: str

    @property
    def methods(self) -> Collection[str] | None:
        """Those of its address that are its own."""

    def is_chosen(self, scope: Scope) -> bool:
        """Whether the version that the request names is the endpoint's."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request. Raises whatever it is refused with."""


class HotRoutes:
    """ASGI middleware, the innermost: calls hot endpoints itself, and leaves all else to the framework.

    What they raise is answered by the error boundary further out.
    """

    def __init__(self, app: ASGIApp, *, routes: Iterable[HotRoute]) -> None:
        self._app = app
        self._routes = {(method, route.path): route for route in routes for method in route.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        route = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None or not route.is_chosen(scope):
            await self._app(scope, receive, send)
            return
        scope["route"], scope["path_params"] = route, {}
        await route.answer(scope, receive, send)


def hot(endpoint: F) -> F:
    """Say that an endpoint with a caller, a JSON body, an `IdempotentId` and nothing else is called very often."""
    setattr(endpoint, _MARK, True)
    return endpoint


def is_hot(endpoint: Callable[..., Any]) -> bool:
    """Whether an endpoint says so."""
    return getattr(endpoint, _MARK, False)


def straight(endpoint: Callable[..., Any]) -> Handler:
    """What answers a request to a hot endpoint, once its body was read.

    Raises `TypeError` for an endpoint that declares more than it may.
    """
    caller, body, new_id = _names(endpoint)
    reader: TypeAdapter[Any] = TypeAdapter(get_type_hints(endpoint, include_extras=True)[body])

    async def serve(request: Request) -> Response:
        raw = await request.body()
        try:
            read = reader.validate_python(raw)
        except ValidationError as error:
            wrong = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
            raise RequestValidationError(wrong, body=raw) from None
        state = request.scope["state"]
        answer: BaseModel = await endpoint(**{caller: state["principal"], body: read, new_id: idempotent_id(request)})
        return Response(answer.model_dump_json(by_alias=True), media_type="application/json")

    return serve


def _names(endpoint: Callable[..., Any]) -> tuple[str, str, str]:
    """Of the caller, the body and the id."""
    hints = get_type_hints(endpoint, include_extras=True)
    names = list(inspect.signature(endpoint).parameters)
    kinds = [getattr(hints[name], "__origin__", None) for name in names]
    fits = len(names) == 3 and kinds[0] is Principal and hints[names[2]] == IdempotentId
    if not fits or body_facts(endpoint) is None or not issubclass(hints["return"], BaseModel):
        raise TypeError(f"`{endpoint.__name__}` is hot, but is not declared as (caller, body, id) -> model")
    return names[0], names[1], names[2]
