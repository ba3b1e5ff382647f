"""TLS before a PostgreSQL whose build has none, as its own would be: agreed on with SSLRequest, then end to end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

from tests.certificates import Certificate

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


@asynccontextmanager
async def tls_front(server_url: str, certificate: Certificate) -> AsyncIterator[str]:
    """The same address through TLS at `localhost`, without which nobody is let in; it says nothing of TLS."""
    parts = urlsplit(server_url)
    given = parse_qs(parts.query)
    socket = f"{given['host'][0]}/.s.PGSQL.{given.get('port', ['5432'])[0]}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            if await reader.readexactly(8) == _SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
                to_reader, to_writer = await asyncio.open_unix_connection(socket)
                await asyncio.gather(_pipe(reader, to_writer), _pipe(to_reader, writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield parts._replace(netloc=f"{parts.username}:{parts.password}@localhost:{port}", query="").geturl()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
