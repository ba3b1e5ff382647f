"""Clients that send nothing, or a byte now and then, are cut off; slow ones that go on are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, Request, Response

from passerelle.app.server import serve
from passerelle.app.sockets import listen
from passerelle.kit.http import protocol

HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n"


@pytest.fixture(name="port")
async def _port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(protocol, "BODY_PACE", 1)
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.2)
    app = FastAPI()

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(await request.body())

    sock, stop = listen("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(app, sock, stop, lambda: None))
    yield sock.getsockname()[1]
    stop.set()
    await serving


@pytest.mark.parametrize("begun", [b"", b"POST /echo HT", b"POST /echo HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_does_not_come_is_given_up(port: int, begun: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    async with asyncio.timeout(20):
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_body_that_does_not_come_is_given_up(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD)
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()


async def test_a_body_that_comes_slowly_is_taken(port: int) -> None:
    """Each byte grants a second more here."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + b"abc")
    async with asyncio.timeout(20):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.5)
        writer.write(b"def")
        assert (await reader.readuntil(b"abcdef")).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_the_next_request_of_a_connection_is_waited_for_anew(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        writer.write(HEAD + b"abcdef")
        await reader.readuntil(b"abcdef")
        writer.write(b"POST /ec")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_beyond_a_number_of_silent_connections_the_oldest_makes_way(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 60.0)
    monkeypatch.setattr(protocol, "MOST_WITHOUT_HEAD", 2)
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
    async with asyncio.timeout(20):
        for reader, _ in opened[:2]:
            assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        opened[3][1].write(HEAD + b"abcdef")
        await opened[3][0].readuntil(b"abcdef")
    for _, writer in opened:
        writer.close()


async def test_beyond_a_number_of_connections_an_idle_one_makes_way_and_then_none_is_taken(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 60.0)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 60.0)
    monkeypatch.setattr(protocol, "MOST", 2)
    async with asyncio.timeout(20):
        idle = await asyncio.open_connection("127.0.0.1", port)
        idle[1].write(HEAD + b"abcdef")
        await idle[0].readuntil(b"abcdef")
        asking = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for _, writer in asking:
            writer.write(HEAD + b"abc")
        assert await idle[0].read() == b""
        refused = await asyncio.open_connection("127.0.0.1", port)
        assert (await refused[0].read()).startswith(b"HTTP/1.1 503 ")
        for reader, writer in asking:
            writer.write(b"def")
            await reader.readuntil(b"abcdef")
    for _, writer in (idle, *asking, refused):
        writer.close()


LARGE = protocol.MOST_HEAD + 1


@pytest.mark.parametrize(
    "head",
    [
        b"GET /echo?" + b"x" * LARGE,
        b"GET /echo?" + b"x" * LARGE + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: x\r\nA: " + b"x" * LARGE,
        b"GET /echo HTTP/1.1\r\nHost: x\r\nA: " + b"x" * LARGE + b"\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: x\r\n" + b"A: x\r\n" * (LARGE // 6) + b"\r\n",
        b"GET /echo HTTP/1.1\r\nHost: x\r\n" + b"x" * LARGE,
    ],
    ids=["endless address", "address", "endless header", "header", "headers", "endless name"],
)
async def test_a_head_that_is_too_large_is_refused_before_all_of_it_has_come(
    port: int, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 60.0)
    for before in (b"", HEAD + b"abcdef"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(20):
            writer.write(before)
            if before:
                await reader.readuntil(b"abcdef")
            writer.write(head)
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b'"code":"HEAD_TOO_LARGE"' in answer
        writer.close()


async def test_what_follows_a_body_in_chunks_is_bounded_as_a_head_is(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    chunked = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(chunked + b"3\r\nabc\r\n0\r\nA: " + b"x" * 10 * LARGE)
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()


async def test_a_head_within_the_bound_and_a_body_of_any_size_are_read(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    long = b"POST /echo HTTP/1.1\r\nHost: x\r\nA: " + b"x" * (LARGE - 100) + b"\r\n"
    async with asyncio.timeout(20):
        writer.write(long + b"Content-Length: 300000\r\n\r\n" + b"b" * 300_000)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        await reader.readexactly(300_000)
        writer.write(long + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nc\r\n" * 100_000 + b"0\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        await reader.readexactly(100_000)
    writer.close()
