"""A server on loopback that answers with whatever bytes a test wants, well-formed or not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Behave = Callable[["Connection"], Awaitable[None]]


@dataclass
class Connection:
    """One connection, as the server sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: Server

    async def head(self) -> bytes:
        """The next request, up to the empty line. Raises `IncompleteReadError` when the client has gone."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.server.heads.append(head)
        return head

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        self.server.sent += len(data)


@dataclass
class Server:
    """What it has seen so far."""

    port: int = 0
    connections: int = 0
    sent: int = 0
    heads: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def serving(behave: Behave, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that does `behave` once for each connection, then closes it.

    It accepts by itself: asyncio's own servers lose connections that come while they close.
    """
    listening = socket.create_server(("127.0.0.1", 0), backlog=500)
    listening.setblocking(False)
    server = Server(port=listening.getsockname()[1])
    async with asyncio.TaskGroup() as tasks:
        accepting = tasks.create_task(_accepting(listening, server, behave, tls))
        try:
            yield server
        finally:
            accepting.cancel()
            listening.close()


async def _accepting(listening: socket.socket, server: Server, behave: Behave, tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    tasks: dict[asyncio.Task[None], socket.socket] = {}
    try:
        while True:
            accepted, _ = await loop.sock_accept(listening)
            server.connections += 1
            tasks[asyncio.create_task(_connected(accepted, server, behave, tls))] = accepted
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for accepted in tasks.values():
            accepted.close()  # a task that was cancelled before it began did not


async def _connected(accepted: socket.socket, server: Server, behave: Behave, tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    with suppress(OSError, asyncio.IncompleteReadError):
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted, ssl=tls)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await behave(Connection(reader, writer, server))
        finally:
            writer.close()
            await writer.wait_closed()


def answering(head: str, body: bytes = b"", *, length: bool = True) -> Behave:
    """Answers every request on a connection the same way. `head` has the status line and headers."""
    lines = [*head.split("\n"), *([f"Content-Length: {len(body)}"] if length else []), "", ""]
    data = "\r\n".join(lines).encode() + body

    async def behave(connection: Connection) -> None:
        while True:
            await connection.head()
            await connection.send(data)

    return behave


def once(*chunks: bytes) -> Behave:
    """Answers one request with these bytes, and closes."""

    async def behave(connection: Connection) -> None:
        await connection.head()
        for chunk in chunks:
            await connection.send(chunk)

    return behave
