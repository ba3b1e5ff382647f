"""HTTP/1.1 as uvicorn speaks it, for clients that offer to go on in another protocol.

Java's own client offers HTTP/2 (`Upgrade: h2c`) in each request to a plain `http:` address. A server may leave an
offer alone and answer as if it had not been made (RFC 9110, 7.8). The parser stops at it, and what follows, the body,
would be lost (https://github.com/Kludex/uvicorn/issues/2722): so the request is read again without its offer.

Clients that send nothing, or a byte now and then, are cut off: they hold a connection, and later a place.

uvicorn takes a protocol of one's own, but says of none of its classes what may be overridden. So all that is taken of
`HttpToolsProtocol` is here, each with its reason:

- `parser`, `url`, `headers`: a request with an offer is read again without it, by a new parser.
- `on_url`, `on_header`: how large a head is.
- `on_headers_complete`, `on_body`, `on_message_complete`: how far a request has come, for the time that it may take;
  and so that the one with the offer is not answered twice.
- `connection_made`, `connection_lost`, `connections`: how many connections there are.
- `on_response_complete`, `timeout_keep_alive_task`, `cycle`: on which of them nothing is asked.
- `data_received`, with `_unset_keepalive_if_required` and `send_400_response`: the same as uvicorn's but for the offer.
- `flow.read_paused`: a body that waits for us is not late.
"""

from __future__ import annotations

import asyncio
import resource
from collections import OrderedDict
from typing import Final, Literal
from uuid import uuid4

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from passerelle.kit.errors import Code

HEAD_SECONDS: Final = 15.0
"""How long a request's head may take, from the connection or from its first byte on."""
MOST_HEAD: Final = 65_536
"""Bytes that a request's head may have: the parser, what is parsed of it and who logs it take time for each of them."""
LINGER_SECONDS: Final = 2.0
"""How long more is read, and dropped, of a client that was refused: else the network takes the answer away from it."""
BODY_SECONDS: Final = 30.0
"""How long a request's body may take in any case."""
BODY_PACE: Final = 4_000
"""Bytes of a body for each of which more a second is granted: a slow telephone sends them, an idle client does not."""
MOST_WITHOUT_HEAD: Final = 1_000
"""Connections of this process on which a head is awaited; the oldest makes way for one more."""
MOST: Final = 4_000
"""Connections of this process in all, or as many as it may have files open. One on which nothing is asked makes way for
one more; where something is asked on all of them, the new one is answered 503."""
SPARE_FILES: Final = 300
"""Files that are left for everything else: connections to the database and to the outside, uploads, logs."""
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\ncontent-length: 0\r\n\r\n"
_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

_HEAD_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%b"
)
HEAD_TOO_LARGE: Final = Code("HEAD_TOO_LARGE", 431, "The request's address and headers are larger than a head may be.")

_without_head: OrderedDict[Http1, None] = OrderedDict()
_idle: OrderedDict[Http1, None] = OrderedDict()
"""Connections whose last request was answered, the longest idle first."""

_OFFER: Final = frozenset({b"upgrade", b"http2-settings", b"connection"})


class _HeadTooLarge(Exception):  # noqa: N818
    """Tells the parser to stop."""


class Http1(HttpToolsProtocol):
    """One connection. No protocol is ever changed to."""

    _awaits: Literal["head", "body"] | None = None
    """What of a request is still to come."""
    _timer: asyncio.TimerHandle | None = None
    """Set once data has ended before that has come: most requests come in one piece, and need none."""
    _began = 0.0
    _received = 0
    _unread = 0
    """Bytes of a head, or of what follows a body in chunks, that the parser keeps for itself yet."""
    _parsed = 0
    """Bytes of those that it has given."""
    _refused = False
    _between = False
    """Whether a request was read to its end, and the next has not begun."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected."""
        super().connection_made(transport)
        if len(self.connections) > most_connections() and not _make_room(self):
            transport.write(_FULL)
            transport.close()
            return
        if len(_without_head) >= MOST_WITHOUT_HEAD:
            next(iter(_without_head)).give_up()
        self._awaits = "head"
        self._keep_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end_wait()
        _idle.pop(self, None)
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Cut off a client that is too slow; tell it so, unless an answer has begun."""
        self._end_wait()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_TOO_SLOW)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what the client has sent."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        _idle.pop(self, None)
        if self._between:
            self._between = False
            self._awaits = "head"
        self._unread += len(data)
        try:
            while (rest := self._until_offer(data)) is not None:
                data = rest
        except httptools.HttpParserError:
            if self._parsed <= MOST_HEAD:
                self.send_400_response("Invalid HTTP request received.")
                return
        if self._parsed > MOST_HEAD or self._unread > MOST_HEAD:
            self._refuse_head()
        elif self._awaits is not None and self._timer is None:
            self._keep_time()

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        self._parsed = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Note a part of the address."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header."""
        self._count_head(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start to answer, unless the request is to be read again."""
        if not self.parser.should_upgrade():
            self._end_wait()
            self._awaits, self._received, self._unread = "body", 0, 0
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Note a part of the body."""
        self._received += len(body)
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of the body, unless the parser only thinks so."""
        if not self.parser.should_upgrade():
            self._end_wait()
            self._between, self._unread = True, 0
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note that nothing is asked on the connection, unless the next request has come already."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            _idle[self] = None

    def _count_head(self, more: int) -> None:
        self._parsed += more
        if self._parsed > MOST_HEAD:
            raise _HeadTooLarge  # which ends the parser's work

    def _refuse_head(self) -> None:
        self._refused = True
        self._end_wait()
        message = f"the address and the headers may have {MOST_HEAD:,} bytes together: send what is larger as a body"
        told = {
            "fingerprint": str(uuid4()),
            "errors": [{"code": HEAD_TOO_LARGE.name, "message": message, "pointer": ""}],
        }
        body = orjson.dumps(told)
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_HEAD_TOO_LARGE % (len(body), body))
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _keep_time(self) -> None:
        if self._awaits == "head":
            _without_head[self] = None
            self._timer = self.loop.call_later(HEAD_SECONDS, self.give_up)
        else:
            self._began = self.loop.time()
            self._timer = self.loop.call_later(BODY_SECONDS, self._judge_body)

    def _judge_body(self) -> None:
        waited = self.loop.time() - self._began
        granted = BODY_SECONDS + self._received / BODY_PACE
        if self.flow.read_paused:  # it waits for us
            granted = waited + BODY_SECONDS
        if waited >= granted:
            self.give_up()
        else:
            self._timer = self.loop.call_later(granted - waited, self._judge_body)

    def _end_wait(self) -> None:
        self._awaits = None
        if self._timer is not None:
            _without_head.pop(self, None)
            self._timer.cancel()
            self._timer = None

    def _until_offer(self, data: bytes) -> bytes | None:
        """Parse `data`. What is left to parse after a request that made an offer; None if all is done.

        Raises `HttpParserError`.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            method = self.parser.get_method()
            if method == b"CONNECT":
                raise httptools.HttpParserError("this is no proxy") from None
            head = self._head_without_offer(method)
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            return head + data[offer.args[0] :]
        return None

    def _head_without_offer(self, method: bytes) -> bytes:
        lines = [b"%b %b HTTP/%b" % (method, self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b" % header for header in self.headers if header[0] not in _OFFER]
        options = [option for name, value in self.headers if name == b"connection" for option in value.split(b",")]
        kept = [option.strip() for option in options if option.strip().lower() not in _OFFER]
        if kept:
            lines.append(b"connection: " + b", ".join(kept))
        return b"\r\n".join(lines) + b"\r\n\r\n"


def most_connections() -> int:
    """How many this process may have."""
    return min(MOST, max(1, _files() - SPARE_FILES))


def raise_file_limit() -> None:
    """Let this process have as many files open as it may allow itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + SPARE_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST + SPARE_FILES)
    if _files() < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST + SPARE_FILES if soft == resource.RLIM_INFINITY else soft


def _make_room(newest: Http1) -> bool:
    """End a connection on which nothing is asked; whether there was one."""
    while _idle:
        idle, _ = _idle.popitem(last=False)
        if idle is not newest and not idle.transport.is_closing():
            idle.transport.close()
            return True
    return False
