"""What every request has: an id, one line in the log, and headers that keep browsers careful."""

from __future__ import annotations

import re
import time
from contextvars import ContextVar
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from passerelle.kit import tracing
from passerelle.kit.http.media_types import DeprecationNotice, Versioned, versioned_headers
from passerelle.kit.ids import NewId, new_id
from passerelle.kit.metrics import counter, seconds
from passerelle.kit.rates import Tally

_SANE: Final = re.compile(rb"[!-~]{1,128}")
_ALWAYS: Final = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_TLS_ALWAYS: Final = (b"strict-transport-security", b"max-age=31536000")
_NO_STORE: Final = (b"cache-control", b"no-store")
_JSON: Final = (b"content-type", b"application/json")
_HTML_POLICY: Final = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'self'; img-src 'self' data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)

_SECRET: Final = re.compile(r"[^/]{37,}")
"""Longer than a UUID. Links' secrets have 43 characters."""

present: Final[ContextVar[Scope | None]] = ContextVar("request", default=None)
"""The request that is being answered, for who writes down where something came from."""

_log = structlog.get_logger("passerelle.http")

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE: Final = "none"
_requests: Final = counter(
    "http_requests", "Requests that were answered; status 0: cut off before an answer", "method", "route", "status"
)
_took: Final = seconds("http_request_duration", "From a request's head to the end of its answer", "method", "route")


class RequestContext:
    """ASGI middleware, the outermost: request id, access log, headers of every answer.

    `deprecation` is what answers in version 1 carry. `secure`: browsers are told to come by TLS alone from now on. An
    answer's own `Cache-Control` and `Content-Security-Policy` are left as they are.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        deprecation: DeprecationNotice | None = None,
        secure: bool = False,
        new_id: NewId = new_id,
    ) -> None:
        self._app = app
        self._always = [*_ALWAYS, _TLS_ALWAYS] if secure else _ALWAYS
        self._deprecation = deprecation
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif not tracing.is_on():
            await self._serve(scope, receive, send)
        else:
            await self._traced(scope, receive, send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As one span. The libraries' own middleware would write addresses down, and those of links are secrets."""
        sent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
        method = scope["method"]
        facts = {"http.request.method": method, "url.scheme": scope["scheme"]}
        with tracing.span(method, kind="SERVER", parent=sent, facts=facts) as span:
            tokens = structlog.contextvars.bind_contextvars(trace=tracing.here())
            try:
                await self._serve(scope, receive, send)
            finally:
                structlog.contextvars.reset_contextvars(**tokens)
                if span is not None:
                    state, route = scope["state"], getattr(scope.get("route"), "path", None)
                    span.set_attribute("http.response.status_code", state.get("status") or 0)
                    if route is not None:
                        span.update_name(f"{method} {route}")
                        span.set_attribute("http.route", route)
                    if (caller := state.get("principal")) is not None:
                        span.set_attribute("passerelle.workspace", str(caller.workspace_id))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = self._request_id(scope)
        present.set(scope)
        tokens = structlog.contextvars.bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        status: int | None = None

        async def send_complete(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = state["status"] = message["status"]
                message["headers"] = self._headers(message["headers"], request_id, state.get("versioned"))
                if (tally := state.get("tally")) is not None:
                    message["headers"].extend(_standing(tally))
            await send(message)

        try:
            await self._app(scope, receive, send_complete)
        finally:
            self._note(scope, status, time.perf_counter() - began)
            structlog.contextvars.reset_contextvars(**tokens)

    def _note(self, scope: Scope, status: int | None, took: float) -> None:
        """In the log and among the figures."""
        route: str | None = getattr(scope.get("route"), "path", None)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        _requests.labels(method, route or _NO_ROUTE, status or 0).inc()
        _took.labels(method, route or _NO_ROUTE).observe(took)
        caller = scope["state"].get("principal")
        _log.info(
            "request",
            method=scope["method"],
            # The template holds nothing of the caller's.
            path=route or masked_path(scope),
            status=status,
            ms=round(took * 1000, 1),
            **({} if caller is None else {"workspace": str(caller.workspace_id)}),
        )

    def _request_id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _SANE.fullmatch(value):
                return str(value, "ascii")
        return str(self._new_id())

    def _headers(self, given: Any, request_id: str, versioned: Versioned | None) -> list[tuple[bytes, bytes]]:
        headers = [*given, *self._always, (b"x-request-id", request_id.encode())]
        names = {name for name, _ in given}
        if b"cache-control" not in names:
            headers.append(_NO_STORE)
        if b"content-security-policy" not in names and _is_html(given):
            headers.append(_HTML_POLICY)
        if versioned is not None and _JSON in headers:
            headers.remove(_JSON)
            headers.extend(versioned_headers(versioned, self._deprecation))
        return headers


def _standing(tally: Tally) -> list[tuple[bytes, bytes]]:
    """How many more requests there may be, as the IETF's draft on rate limits has it."""
    window = int(tally.limit.window.total_seconds())
    return [
        (b"ratelimit-policy", b'"%s";q=%d;w=%d' % (tally.limit.name.encode(), tally.limit.most, window)),
        (b"ratelimit", b'"%s";r=%d;t=%d' % (tally.limit.name.encode(), tally.left, tally.seconds)),
    ]


def _is_html(headers: Any) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)


def masked_path(scope: Scope) -> str:
    """The path without what is long enough to be a secret."""
    return _SECRET.sub("•••", str(scope["path"]))
