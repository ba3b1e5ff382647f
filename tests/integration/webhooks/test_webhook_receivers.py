"""Over a real network: receivers that fail in every way, and those of the guide, which check what they get."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI

from passerelle.accounts.endpoints import router
from passerelle.app.server import HttpServer
from passerelle.kit.clock import system_clock
from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.kit.outgoing.client import OutgoingClient
from passerelle.kit.outgoing.rules import EgressRules
from passerelle.kit.secrets import SecretBox
from passerelle.webhooks.attempts import DeliverySender
from passerelle.webhooks.models import EndpointChange
from tests.integration.webhooks.post_office import PostOffice

GUIDE = Path(__file__).parents[3] / "docs/guides/webhooks.md"
OK = b"HTTP/1.1 204 No Content\r\n\r\n"

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest_asyncio.fixture(loop_scope="session")
async def network(office: PostOffice, database: Database) -> AsyncIterator[PostOffice]:
    """The post office with the real client, which may reach this machine. It waits two seconds for an answer."""
    async for there in _over_the_network(office, database, seconds=2):
        yield there


@pytest_asyncio.fixture(loop_scope="session")
async def patient(office: PostOffice, database: Database) -> AsyncIterator[PostOffice]:
    """The same, which waits for whoever starts slowly."""
    async for there in _over_the_network(office, database, seconds=30):
        yield there


async def _over_the_network(office: PostOffice, database: Database, *, seconds: float) -> AsyncIterator[PostOffice]:
    rules = EgressRules.parse("127.0.0.0/8")
    box = SecretBox(["k" * 40])
    client = OutgoingClient(rules)
    there = PostOffice(database, office.workspace_id, box, allow="127.0.0.0/8")
    there.attempts = DeliverySender(
        client, there.accounts.signing_keys, there.shown_fields, box, there.clock, timeout_seconds=seconds
    )
    there.courier = there.another_courier()
    yield there
    await client.close()


@asynccontextmanager
async def receiver(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"content-length: (\d+)", head.lower())
            await reader.readexactly(int(found[1]) if found else 0)
            await behaviour(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


async def well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def redirects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")


async def fails(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops")


async def is_no_web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 smtp.example ESMTP\r\n")


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (resets, "reset the connection before it had answered"),
        (hangs, "did not answer completely within"),
        (redirects, "301: redirects are not followed"),
        (fails, "It answered 500"),
        (is_no_web_server, "not HTTP|closed the connection"),
    ],
)
async def test_a_failure_is_said_and_everything_arrives_once_the_receiver_is_well(
    network: PostOffice, behaviour: Behaviour, said: str
) -> None:
    now = behaviour

    async def changing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await now(reader, writer)

    async with receiver(changing) as url:
        await network.endpoint(url)
        await network.happen()
        await network.deliver()
        now = well
        await network.pass_time(timedelta(seconds=6), timedelta(seconds=6))
    first, second = await network.log()
    assert re.search(said, first.error or "")
    assert (second.error, second.response_status) == (None, 204)


async def test_a_receiver_that_refuses_connections(network: PostOffice) -> None:
    async with receiver(well) as url:
        pass
    await network.endpoint(url)
    await network.happen()
    await network.deliver()
    (attempt,) = await network.log()
    assert "Connection refused" in (attempt.error or "")


async def test_an_endless_answer_costs_four_kilobytes_and_is_a_success(network: PostOffice) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with receiver(endless) as url:
        await network.endpoint(url)
        await network.happen()
        await network.deliver()
    (attempt,) = await network.log()
    assert (attempt.response_status, attempt.response_body) == (200, "x" * 4_096)


async def test_a_certificate_that_nobody_vouches_for_is_refused(network: PostOffice, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = _self_signed(tmp_path)
    context.load_cert_chain(certificate, key)
    async with receiver(well, context) as url:
        await network.endpoint(url)
        await network.happen()
        await network.deliver()
    (attempt,) = await network.log()
    assert "could not prove its identity" in (attempt.error or "")


async def test_an_address_that_turned_private_after_the_check_is_not_reached(
    office: PostOffice, database: Database
) -> None:
    """The guard stands where the connection is made, whatever the name meant when the endpoint was created."""

    async def rebound(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    client = OutgoingClient(EgressRules(), resolve=rebound)
    office.attempts = DeliverySender(
        client, office.accounts.signing_keys, office.shown_fields, SecretBox(["k" * 40]), office.clock
    )
    await office.endpoint("https://hooks.example/")
    await office.happen()
    await office.deliver(office.another_courier())
    await client.close()
    (attempt,) = await office.log()
    assert "not on the public internet" in (attempt.error or "")


def code(language: str) -> str:
    """The receiver of the guide in this language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return str(block)


RECEIVERS = {
    "python": ("receiver.py", [sys.executable]),
    "js": ("receiver.mjs", ["node"]),
    "java": ("Receiver.java", ["java"]),
}


NPM = (
    "npm",
    "install",
    "--fetch-retries=0",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "standardwebhooks@1.1.1",
    "jose@6.2.18",
)
"""As the guide says, but the versions that it was written with."""


async def _installed(language: str, folder: Path) -> None:
    """Installs what the receiver imports. Skips where the machine lacks the language."""
    needed = {RECEIVERS[language][1][0], *(["npm"] if language == "js" else [])}
    if missing := [program for program in needed if shutil.which(program) is None]:
        pytest.skip(f"{missing[0]} is not installed")
    if language == "js":
        npm = await asyncio.create_subprocess_exec(*NPM, cwd=folder, stdout=asyncio.subprocess.DEVNULL)
        if await npm.wait() != 0:
            pytest.skip("npm's registry does not answer")


@pytest.mark.parametrize("language", RECEIVERS)
async def test_the_guides_receivers_take_what_is_genuine_and_nothing_else(
    patient: PostOffice, tmp_path: Path, language: str
) -> None:
    name, program = RECEIVERS[language]
    await _installed(language, tmp_path)
    (tmp_path / name).write_text(code(language), encoding="utf-8")
    patient.clock.now = system_clock()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    endpoint, secret = await patient.webhooks.create(
        patient.workspace_id, new_id(), EndpointChange(url=f"http://127.0.0.1:{port}/", api_version=2)
    )
    assert endpoint.status == "ACTIVE"
    async with _keys_served(patient) as keys_url:
        environment = {
            **os.environ,
            "WEBHOOK_SECRET": secret,
            "PASSERELLE_URL": keys_url,
            "WORKSPACE": str(patient.workspace_id),
            "PORT": str(port),
        }
        process = await asyncio.create_subprocess_exec(
            *program, str(tmp_path / name), env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            await _listening(port)
            await patient.happen(name="Zażółć 🦊", number=9007199254740993)
            await patient.deliver()
            (attempt,) = await patient.log()
            assert (attempt.response_status, attempt.error) == (204, None)
            async with httpx.AsyncClient() as forger:
                answer = await forger.post(f"http://127.0.0.1:{port}/", content=b"{}", headers={"webhook-id": "1"})
            assert answer.status_code == 400
        finally:
            process.kill()
            await process.wait()


@asynccontextmanager
async def _keys_served(office: PostOffice) -> AsyncIterator[str]:
    app = FastAPI()
    app.include_router(router(office.accounts))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        server = HttpServer(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve([sock]))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        server.should_exit = True
        await serving


async def _listening(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("the receiver did not start within 30 s")


def _self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "certificate.pem", folder / "key.pem"
