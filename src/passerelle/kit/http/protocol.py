"""HTTP/1.1 as uvicorn speaks it, for clients that offer to go on in another protocol.

Java's own client offers HTTP/2 (`Upgrade: h2c`) in each request to a plain `http:` address. A server may leave an
offer alone and answer as if it had not been made (RFC 9110, 7.8). The parser stops at it, and what follows, the body,
would be lost (https://github.com/Kludex/uvicorn/issues/2722): so the request is read again without its offer.
"""

from __future__ import annotations

from typing import Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_OFFER: Final = frozenset({b"upgrade", b"http2-settings", b"connection"})


class Http1(HttpToolsProtocol):
    """One connection. No protocol is ever changed to."""

    def data_received(self, data: bytes) -> None:
        """Take what the client has sent."""
        self._unset_keepalive_if_required()
        try:
            while (rest := self._until_offer(data)) is not None:
                data = rest
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")

    def on_headers_complete(self) -> None:
        """Start to answer, unless the request is to be read again."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note the end of the body, unless the parser only thinks so."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

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
