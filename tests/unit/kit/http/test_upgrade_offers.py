"""Clients that offer another protocol, as Java's own does in every request: they are answered as all others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, Request, Response

from passerelle.app.server import serve
from passerelle.app.sockets import listen

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA\r\n"
COUNTED = b"POST /echo?a=%C5%BC HTTP/1.1\r\nHost: x\r\n" + OFFER + b"Content-Length: 5\r\n\r\nfirst"
CHUNKED = (
    b"POST /echo HTTP/1.1\r\nHost: x\r\n"
    + OFFER
    + b"Transfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3\r\nond\r\n0\r\n\r\n"
)
BODILESS = b"GET /echo HTTP/1.1\r\nHost: x\r\n" + OFFER + b"\r\n"
PLAIN = b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"PUT /echo HTTP/1.1\r\nHost: x\r\nConnection: close, upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n\r\nlast"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = FastAPI()

    @app.api_route("/echo", methods=["GET", "POST", "PUT"])
    async def echo(request: Request) -> Response:
        said = f"{request.method} {request.url.query} {(await request.body()).decode()} {'upgrade' in request.headers}"
        return Response(said)

    sock, stop = listen("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(app, sock, stop, lambda: None))
    yield sock.getsockname()[1]
    stop.set()
    await serving


async def _answers(port: int, requests: bytes, piece: int) -> list[str]:
    """The bodies of all answers on one connection, to which the requests are sent piece by piece."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for start in range(0, len(requests), piece):
        writer.write(requests[start : start + piece])
        await writer.drain()
    said = (await reader.read()).decode()
    writer.close()
    return [answer.split("\r\n\r\n", 1)[1] for answer in said.split("HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("piece", [1, 7, 10_000])
async def test_an_offer_is_left_alone_and_no_body_is_lost(port: int, piece: int) -> None:
    """Counted and chunked bodies, several requests on one connection, cut anywhere."""
    assert await _answers(port, COUNTED + CHUNKED + BODILESS + PLAIN + LAST, piece) == [
        "POST a=%C5%BC first False", "POST  second False", "GET   False", "GET   False", "PUT  last False"
    ]  # fmt: skip


@pytest.mark.parametrize("request_", [b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"NONSENSE\r\n\r\n"])
async def test_what_is_no_request_is_refused_and_the_connection_closed(port: int, request_: bytes) -> None:
    assert await _answers(port, request_, 10_000) == ["Invalid HTTP request received."]
