"""The guarded client: no request of the product leaves it for an address that it may not reach.

The guard stands where connections are made: names are resolved here, the addresses checked, and the
connection goes to a checked address. Nothing is resolved a second time, so an answer of the DNS that
changes between check and use (rebinding) changes nothing. `Host` and TLS still speak of the name.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from typing import Final

import aiohttp
import certifi
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from passerelle.kit import tracing
from passerelle.kit.metrics import counter, seconds
from passerelle.kit.outgoing import (
    DEFAULT_MAX_BYTES,
    AnswerTooLarge,
    OutgoingAnswer,
    OutgoingError,
    OutgoingRefused,
    OutgoingTimeout,
    OutgoingUnreachable,
    OutgoingUnreadable,
)
from passerelle.kit.outgoing.decoding import ENCODINGS, TooLarge, Undecodable, decoder_for, read
from passerelle.kit.outgoing.heads import Connector, watch_body
from passerelle.kit.outgoing.rules import SETTING, EgressRules, address_of
from passerelle.kit.outgoing.target import check_head, origin_of, target_of
from passerelle.kit.sent_journal import OnSend, nobody

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, best first. Raises `OSError` where it has none."""

_KEY: Final = "Idempotency-Key"
CONNECTIONS: Final = 200
"""Open at once in this process."""
CONNECTIONS_EACH: Final = 50
"""Of these to one host, so that a slow one cannot take them all."""
IDLE_SECONDS: Final = 4.0
"""How long a connection is kept for the next request: less than the 5 s after which common servers close it."""

LONGEST_LINE: Final = 300 * 1024
"""Bytes of a status line or of a header; curl takes as many for all of them."""
MOST_HEADERS: Final = 5_000
"""Headers of one answer, as curl takes them."""

_requests: Final = counter(
    "outgoing_requests", "Requests to the outside by what came back: `2xx` to `5xx`, `none`", "outcome"
)
_took: Final = seconds("outgoing_request_duration", "From a request to the outside to the head of its answer")

BEGINNING_SECONDS: Final = 2.0
"""How long the beginning of a body is waited for where only the status counts."""


async def system_resolve(host: str, port: int) -> list[str]:
    """What the operating system knows, in its order (RFC 6724)."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def trusted_roots() -> ssl.SSLContext:
    """TLS that trusts the system's authorities, or those of `SSL_CERT_FILE`, and Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class OutgoingClient:
    """The one client of a process; connections are kept and used again. See `Outgoing` for what it promises."""

    def __init__(
        self,
        rules: EgressRules,
        *,
        resolve: Resolve = system_resolve,
        tls: ssl.SSLContext | None = None,
        on_send: OnSend = nobody,
    ) -> None:
        """`on_send`: told of each request that is about to be sent."""
        self._rules = rules
        self._on_send = on_send
        self._resolver = _GuardedResolver(rules, resolve)
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout_seconds: float,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> OutgoingAnswer:
        """See `Outgoing.request`."""
        target = self._checked(method, url, headers)
        call = _Call(origin_of(target), timeout_seconds, max_bytes)
        async with call.translated():
            call.response = response = await self._sent(method, target, headers, content)
            try:
                return await _answer(response, max_bytes)
            finally:
                # Goes back to the pool if it was read to its end, and is closed otherwise.
                response.release()

    async def request_status(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout_seconds: float,
        max_bytes: int,
    ) -> OutgoingAnswer:
        """As `request`, where the status is what counts: it has to come within `timeout_seconds`.

        The body is only its beginning: at most `max_bytes`, as far as they come within two more seconds and can be
        read.
        """
        target = self._checked(method, url, headers)
        try:
            async with _Call(origin_of(target), timeout_seconds, max_bytes).translated():
                response = await self._sent(method, target, headers, content)
        except OutgoingUnreadable as error:
            if error.status is None:
                raise
            return OutgoingAnswer(error.status, error.headers, b"")
        try:
            return OutgoingAnswer(response.status, _headers(response), await _beginning(response, max_bytes))
        finally:
            response.release()

    async def close(self) -> None:
        """Close every connection. The client cannot be used afterwards."""
        if self._session is not None:
            await self._session.close()

    def _checked(self, method: str, url: str, headers: Mapping[str, str]) -> URL:
        check_head(method, headers)
        target = target_of(url)
        self._check_literal(target)
        return target

    async def _sent(
        self, method: str, target: URL, headers: Mapping[str, str], content: bytes | None
    ) -> aiohttp.ClientResponse:
        # As a file it is written piece by piece: a large one does not hold up the loop.
        body = None if content is None else BytesIO(content)
        webhook = headers.get("webhook-id")
        self._on_send("call" if webhook is None else "webhook", origin_of(target), webhook or headers.get(_KEY))
        outcome, began = "none", time.perf_counter()
        try:
            response = await self._opened().request(method, target, headers=headers, data=body, allow_redirects=False)
            outcome = f"{response.status // 100}xx"
        finally:
            _requests.labels(outcome).inc()
            _took.observe(time.perf_counter() - began)
        watch_body(response)
        return response

    def _check_literal(self, target: URL) -> None:
        """An address in the URL itself needs no resolving, so the resolver never sees it."""
        host, port = target.raw_host or "", target.port or 0
        address = address_of(host)
        if address is None or self._rules.allows_name(host, port) or self._rules.allows(address, port):
            return
        raise _refused(host, port)

    def _opened(self) -> aiohttp.ClientSession:
        # Made with the first request, because it belongs to the running loop.
        if self._session is None:
            connector = Connector(
                resolver=self._resolver,
                use_dns_cache=False,
                limit=CONNECTIONS,
                limit_per_host=CONNECTIONS_EACH,
                keepalive_timeout=IDLE_SECONDS,
                ssl=self._tls or trusted_roots(),
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                trace_configs=list(tracing.of_clients()),
                headers={"Accept-Encoding": ENCODINGS},
                skip_auto_headers=("User-Agent", "Content-Type"),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                trust_env=False,
                auto_decompress=False,
                max_line_size=LONGEST_LINE,
                max_field_size=LONGEST_LINE,
                max_headers=MOST_HEADERS,
            )
        return self._session


class _GuardedResolver(AbstractResolver):
    """The only way from a name to a connection."""

    def __init__(self, rules: EgressRules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that no DNS can hold
            raise OutgoingUnreachable(f"The name {host} was not found.") from error
        allowed = found if self._rules.allows_name(host, port) else self._rules.allowed(found, port)
        if not allowed:
            # Which address it was is the operator's business: names must not map the network behind us.
            raise _refused(host, port)
        return [_result(host, address, port) for address in allowed]

    async def close(self) -> None:
        """Nothing is kept."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)


def _refused(host: str, port: int) -> OutgoingRefused:
    shown = f"[{host}]" if ":" in host else host
    return OutgoingRefused(
        f"{shown} is not on the public internet, so requests to it are refused: if they are meant, the operator "
        f"adds {shown}:{port} to {SETTING}."
    )


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.raw_headers:
        name, value = raw_name.decode("latin-1").lower(), _header_text(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _header_text(value: bytes) -> str:
    """UTF-8 where it is, and otherwise what such bytes always meant in headers (RFC 9110, 5.5)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _answer(response: aiohttp.ClientResponse, max_bytes: int) -> OutgoingAnswer:
    headers = _headers(response)
    decoder = decoder_for(headers.get("content-encoding", ""))
    body = await read(response.content.iter_any(), decoder, max_bytes)
    return OutgoingAnswer(response.status, headers, body)


async def _beginning(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    with suppress(TimeoutError, Undecodable, aiohttp.ClientError, OSError):
        decoder = decoder_for(response.headers.get("Content-Encoding", ""))
        async with asyncio.timeout(BEGINNING_SECONDS):
            async for chunk in response.content.iter_any():
                body += decoder.decode(chunk, max_bytes - len(body))
                if len(body) >= max_bytes:
                    break
    return bytes(body)


class _Call:
    """One request on its way: which part of it went wrong decides what may follow."""

    def __init__(self, where: str, timeout_seconds: float, max_bytes: int) -> None:
        self._where = where
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes
        self.response: aiohttp.ClientResponse | None = None
        """Once its status and headers have come."""

    @asynccontextmanager
    async def translated(self) -> AsyncIterator[None]:
        """Everything inside has `timeout_seconds` in all, and fails with an `OutgoingError`."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        # `from None`: aiohttp's errors carry the whole URL, and would take it into the log.
        except TimeoutError:
            raise self._late() from None
        except TooLarge:
            raise AnswerTooLarge(f"{self._where} answered more than {self._max_bytes:,} bytes.") from None
        except Undecodable as error:
            raise self._unreadable(str(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from None

    def _late(self) -> OutgoingError:
        if self.response is not None:
            return self._unreadable(f"its answer was not complete within {self._timeout_seconds:g} s")
        return OutgoingTimeout(f"{self._where} did not answer completely within {self._timeout_seconds:g} s.")

    def _broken(self, error: Exception) -> OutgoingError:
        if self.response is not None:
            return self._unreadable("the connection ended before its answer was complete")
        if isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str | None):
            said = f"answered {error.message.code}, but closed the connection within the headers"
            return OutgoingUnreadable(f"{self._where} {said}.", error.message.code)
        # aiohttp raises it for what came; nothing is refused for its status here.
        if isinstance(error, aiohttp.ClientResponseError):
            return OutgoingUnreadable(f"{self._where} {_reason(error)}.")
        return OutgoingUnreachable(f"{self._where} {_reason(error)}.")

    def _unreadable(self, why: str) -> OutgoingError:
        if self.response is None:
            return OutgoingUnreadable(f"{self._where} sent an answer that cannot be read: {why}.")
        status = self.response.status
        return OutgoingUnreadable(f"{self._where} answered {status}, but {why}.", status, _headers(self.response))


_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aiohttp.ClientSSLError, "could not be reached: no TLS connection could be agreed"),
    (
        aiohttp.ClientResponseError,
        "sent an answer that cannot be read: it is not HTTP, or has a header that is not",
    ),
    (aiohttp.ServerDisconnectedError, "closed the connection without an answer"),
)


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", "its certificate is not valid")
        return f"could not prove its identity: {why.rstrip('.')}"
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return f"could not be reached: {os.strerror(number) if number else 'no connection'}"
    if isinstance(error, ConnectionResetError) or getattr(error, "errno", None) == errno.ECONNRESET:
        return "reset the connection before it had answered"
    return "broke the connection"
