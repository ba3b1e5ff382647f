"""Living under a path: `PASSERELLE_PUBLIC_URL=https://example.com/onboarding`.

Inside, every address begins at `/`, as it does without a prefix; the prefix is taken off and put on at one place, the
outermost. So no page, redirect or cookie can forget it. A proxy may pass requests on with the prefix or without.

Pages are our own templates, whose values are escaped, so an attribute of theirs that begins with `/` is an address.
Scripts know the prefix by the address that they were loaded from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ADDRESSES: Final = re.compile(rb'(\s(?:href|src|action|formaction|data-(?:start|wait|src|at))=")(/(?!/))')
_COOKIE_PATH: Final = re.compile(rb"(;\s*path=)/", re.IGNORECASE)
_LINK: Final = re.compile(rb"</(?!/)")
_MOVED: Final = frozenset({b"location", b"content-location"})


def path_of(public_url: str) -> str:
    """The path of a public address, without the `/` at its end: `""` for a host alone."""
    return urlsplit(public_url).path.rstrip("/")


def strict_cookie(name: str, public_url: str) -> str:
    """The name of a cookie that only a page of this server can have written, as far as browsers vouch for that.

    With TLS `__Host-` lets no other host, no path and no page without TLS write it. Browsers refuse that for cookies of
    a path: under one, `__Secure-` has to do.
    """
    if not public_url.startswith("https:"):
        return name
    return f"__Secure-{name}" if path_of(public_url) else f"__Host-{name}"


class PathPrefix:
    """Takes `prefix` off what comes in, and puts it on what goes out. Without one it does nothing."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix
        self._bytes = prefix.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if not self._prefix or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        page = _Page(self._bytes, send)
        await self._app(self._inner(scope), receive, page.send)

    def _inner(self, scope: Scope) -> Scope:
        # What goes out is read again below, so it must not be compressed: the proxy does that.
        headers = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
        path: str = scope["path"]
        inner = {**scope, "headers": headers}
        if path == self._prefix or path.startswith(self._prefix + "/"):
            inner["path"] = path[len(self._prefix) :] or "/"
            raw: bytes | None = scope.get("raw_path")
            if raw is not None and raw.startswith(self._bytes):
                inner["raw_path"] = raw[len(self._bytes) :] or b"/"
        return inner


class _Page:
    """An answer on its way out; one with a page is held back until it is whole."""

    def __init__(self, prefix: bytes, send: Send) -> None:
        self._prefix = prefix
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Pass it on, with the prefix."""
        if message["type"] == "http.response.start":
            headers = [self._header(name, value) for name, value in message.get("headers", ())]
            message = {**message, "headers": headers}
            if _is_page(headers):
                self._start = message
                return
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if message.get("more_body", False):
                return
            message = await self._whole(self._start)
        await self._send(message)

    async def _whole(self, start: Message) -> Message:
        body = _ADDRESSES.sub(self._put_on, self._body)
        given = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        if len(given) < len(start["headers"]) and self._body:  # a HEAD's length is that of a page that is not there
            given.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": given})
        return {"type": "http.response.body", "body": body}

    def _put_on(self, found: re.Match[bytes]) -> bytes:
        return found[1] + self._prefix + found[2]

    def _header(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        lower = name.lower()
        if lower in _MOVED and value.startswith(b"/") and not value.startswith(b"//"):
            return name, self._prefix + value
        if lower == b"link":
            return name, _LINK.sub(rb"<" + self._prefix + rb"/", value)
        if lower == b"set-cookie":
            return name, _COOKIE_PATH.sub(rb"\g<1>" + self._prefix + b"/", value, count=1)
        return name, value


def _is_page(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)
