"""Requests as they are meant: HEAD, compressed bodies, a slash too many."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from passerelle.kit.http.bodies import BODY_NOT_COMPRESSED, UNSUPPORTED_MEDIA_TYPE
from passerelle.kit.http.errors import NOT_FOUND, QUERY_INVALID

_PIECE: Final = 1 << 18
"""Bytes that come out of a compressed body at a time: none has to be held whole, however well it was compressed."""
_GZIP: Final = zlib.MAX_WBITS | 16
_SLASHES: Final = re.compile(r"\A/{2,}")
_KEEPS_SLASHES: Final = "/records/by/"
"""What follows is a value of a record, to the last character."""


class AsMeant:
    """ASGI middleware: HEAD is answered as GET without a body, gzip is unpacked, `//x` and `/x/` are `/x`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises UNSUPPORTED_MEDIA_TYPE."""
        if scope["type"] == "http":
            _refuse_unreadable(scope)
            path = _one_slash(scope["path"])
            if path != scope["path"]:
                scope["path"] = path
            if scope["method"] == "HEAD":
                await self._head(scope, receive, send)
                return
            encoding = next((value for name, value in scope["headers"] if name == b"content-encoding"), None)
            if encoding is not None:
                receive = _unpacked(scope, receive, encoding.decode("latin-1").strip().lower())
        await self._app(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The server looks at the method of its own scope, to know that no body follows.
        asked = {**scope, "method": "GET"}
        try:
            await self(asked, receive, _without_body(send))
        finally:
            scope["route"] = asked.get("route")


def _refuse_unreadable(scope: Scope) -> None:
    """What is no text, or has a character that the database cannot hold, is the address of nothing.

    Raises NOT_FOUND, or QUERY_INVALID for parameters.
    """
    path: bytes = scope.get("raw_path") or b""
    if b"%" in path and not _is_text(path):
        raise NOT_FOUND.error("there is nothing at this address: a part of it is no text in UTF-8, or contains NUL")
    query: bytes = scope["query_string"]
    if b"%" in query and not _is_text(query):
        raise QUERY_INVALID.error("a parameter of the address is no text in UTF-8, or contains the character NUL")


def _is_text(quoted: bytes) -> bool:
    raw = unquote_to_bytes(quoted)
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in raw


def _one_slash(path: str) -> str:
    path = _SLASHES.sub("/", path)
    return path if _KEEPS_SLASHES in path or len(path) == 1 else path.rstrip("/") or "/"


def _without_body(send: Send) -> Send:
    ended = False

    async def send_head(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.start":
            await send(message)
        elif not ended:
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            # As if the client had gone: what streams need not be made to its end.
            raise ClientDisconnect

    return send_head


def _unpacked(scope: Scope, receive: Receive, encoding: str) -> Receive:
    """The body's bytes as they were before `Content-Encoding`. Raises UNSUPPORTED_MEDIA_TYPE."""
    if encoding in ("", "identity"):
        return receive
    if encoding not in ("gzip", "x-gzip"):
        raise UNSUPPORTED_MEDIA_TYPE.error(
            f"a body is not taken with `Content-Encoding: {encoding}`: send it with `gzip`, or as it is",
            headers={"Accept-Encoding": "gzip"},
        )
    dropped = (b"content-encoding", b"content-length")
    scope["headers"] = [header for header in scope["headers"] if header[0] not in dropped]
    pieces: Iterator[bytes] = iter(())
    ended = False
    unpacker = zlib.decompressobj(_GZIP)

    def unpack(packed: bytes) -> Iterator[bytes]:
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, _PIECE)
            packed = unpacker.unconsumed_tail

    async def receive_unpacked() -> Message:
        nonlocal pieces, ended
        while True:
            try:
                for piece in pieces:
                    return {"type": "http.request", "body": piece, "more_body": True}
            except zlib.error:
                raise BODY_NOT_COMPRESSED.error("the body is not gzip, though `Content-Encoding` says so") from None
            if ended:
                if not unpacker.eof:
                    raise BODY_NOT_COMPRESSED.error("the compressed body is cut off before its end: send it again")
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await receive()
            if message["type"] != "http.request":
                return message
            ended = not message.get("more_body", False)
            pieces = unpack(message.get("body", b""))

    return receive_unpacked
