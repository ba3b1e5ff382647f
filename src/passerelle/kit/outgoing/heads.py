"""An answer survives what stands behind it.

aiohttp's parser throws an answer away if something that is no HTTP follows it in the same bytes: a line break, a
page behind `Content-Length`. Browsers and curl take the answer and close the connection. Here a head is passed on
before what follows it, so the answer has begun when the parser stumbles, and is complete as far as it says itself.

Where the parser stumbles within a body, it tells nobody who reads it; that is made up for here, too.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from passerelle.kit.outgoing.decoding import Undecodable

if TYPE_CHECKING:
    from aiohttp.client import ClientTimeout
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.tracing import Trace

_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_LONGEST_BLANK: Final = 4
_BEGINNING: Final = b"HTTP/"


class Connector(aiohttp.TCPConnector):
    """aiohttp's, whose connections pass the heads of answers on by themselves."""

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - as aiohttp has it
    ) -> ResponseHandler:
        # The method that aiohttp documents for connectors of one's own.
        handler = await super()._create_connection(req, traces, timeout)
        if handler.transport is not None:  # None: closed already
            handler.transport.set_protocol(_Heads(handler))
        return handler


def watch_body(response: aiohttp.ClientResponse) -> None:
    """Whoever reads the body fails with `Undecodable` once what comes of it is no HTTP (a chunk without a length)."""
    connection = response.connection
    if connection is None or connection.protocol is None:  # it has come as a whole
        return
    _fail_if_broken(connection.protocol, response.content)
    heads = connection.transport.get_protocol() if connection.transport is not None else None
    if isinstance(heads, _Heads):
        heads.body = response.content


def _fail_if_broken(handler: ResponseHandler, body: aiohttp.StreamReader) -> None:
    if isinstance(handler.exception(), HttpProcessingError) and not body.is_eof() and body.exception() is None:
        body.set_exception(Undecodable("its body is not HTTP, or has a chunk that is not"))


class _Heads(asyncio.Protocol):
    """Stands between a connection and aiohttp's handler of it, and passes everything on."""

    def __init__(self, handler: ResponseHandler) -> None:
        self._handler = handler
        self._before = b""
        """The last bytes of what came before: a blank line may come in two parts."""
        self.body: aiohttp.StreamReader | None = None
        """The one that is being read."""

    def data_received(self, data: bytes) -> None:
        while end := self._head_end(data):
            self._pass_on(data[:end])
            data = data[end:]
            if not data.startswith(_BEGINNING):  # a body; after `100 Continue` the next head
                break
        if data:
            self._pass_on(data)

    def _head_end(self, data: bytes) -> int:
        """Where the first blank line ends; 0 if there is none. In a body it may be anything, and does no harm."""
        before = len(self._before)
        for found in _BLANK.finditer(self._before + data[:_LONGEST_BLANK]):
            if found.end() > before:
                return found.end() - before
        blank = _BLANK.search(data)
        return blank.end() if blank else 0

    def _pass_on(self, data: bytes) -> None:
        self._before = data[1 - _LONGEST_BLANK :]
        self._handler.data_received(data)
        if self.body is not None:
            _fail_if_broken(self._handler, self.body)

    def eof_received(self) -> None:
        self._handler.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._handler.connection_lost(exc)

    def pause_writing(self) -> None:
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        self._handler.resume_writing()
