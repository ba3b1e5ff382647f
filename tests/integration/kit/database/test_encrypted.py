"""A PostgreSQL that takes only TLS: every part of the product reads the address alike."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from passerelle.kit.connections import connect
from passerelle.kit.database import Database
from passerelle.kit.listening import Listener
from passerelle.migrations.schema import migrate
from tests.certificates import Certificate, made
from tests.tls_front import tls_front

PASSERELLE = Path(sys.executable).with_name("passerelle")


@dataclass(frozen=True)
class Encrypted:
    """Its address without any word on TLS, and what vouches for it."""

    url: str
    certificate: Certificate

    def asking(self, mode: str, *, host: str = "localhost") -> str:
        """The address that asks for TLS."""
        parts = urlsplit(self.url)
        netloc = parts.netloc.replace("localhost", host)
        query = f"sslmode={mode}" + (f"&sslrootcert={self.certificate.authority}" if mode.startswith("verify") else "")
        return parts._replace(netloc=netloc, query=query).geturl()


@pytest_asyncio.fixture(loop_scope="session")
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Encrypted]:
    certificate = made(tmp_path)
    async with tls_front(database_url, certificate) as url:
        yield Encrypted(url, certificate)


def passerelle(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as a user runs it."""
    env: Mapping[str, str] = {**os.environ, **environment, "PASSERELLE_SECRET_KEY": "k" * 40}
    return subprocess.run([PASSERELLE, *arguments], env=env, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_migrations_the_pool_and_who_listens_take_the_same_address(server: Encrypted, mode: str) -> None:
    url = server.asking(mode)
    await migrate(url)
    database = await Database.open(url, size=2)
    async with database.shared() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await database.close()
    heard = asyncio.Event()
    listener = Listener(database.listens_at)
    listener.on("test", lambda _: heard.set(), heard.set)
    listening = asyncio.create_task(listener.run())
    async with asyncio.timeout(10):
        await heard.wait()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    without = await connect(server.asking("prefer"), "test")
    await without.close()
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connect(server.asking("disable"), "test")


async def test_a_process_starts_on_it(server: Encrypted) -> None:
    url = server.asking("verify-full")
    migrated = await asyncio.to_thread(passerelle, "migrate", PASSERELLE_DATABASE_URL=url)
    assert (migrated.returncode, migrated.stderr) == (0, "")
    created = await asyncio.to_thread(passerelle, "workspace", "create", "test", PASSERELLE_DATABASE_URL=url)
    assert (created.returncode, created.stderr) == (0, ""), created.stderr


@pytest.mark.parametrize("command", ["migrate", "serve"])
async def test_a_certificate_for_another_name_is_refused_in_one_line(server: Encrypted, command: str) -> None:
    url = server.asking("verify-full", host="127.0.0.1")
    more = ("--port", "0") if command == "serve" else ()
    refused = await asyncio.to_thread(passerelle, command, *more, PASSERELLE_DATABASE_URL=url)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "its certificate is not accepted" in refused.stderr
    assert str(urlsplit(url).password) not in refused.stderr
