"""A mail server that answers as a test wants, and a certificate for it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Server:
    """Answers what the test put in, in order, for each command; then takes everything."""

    port: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    logins: list[tuple[bytes, bool]] = field(default_factory=list)
    hangs: bool = False

    async def handle_MAIL(self, _: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        return self._answer("MAIL")

    async def handle_RCPT(self, _: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        answer = self._answer("RCPT").replace("{}", address)
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _: SMTP, session: Any, envelope: Envelope) -> str:
        if self.hangs:
            await asyncio.Event().wait()
        answer = self._answer("DATA")
        if answer.startswith("2"):
            self.taken.append(envelope)
        return answer

    def authenticate(
        self, _: SMTP, session: Any, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        self.logins.append((given.login, session.ssl is not None))
        return AuthResult(success=given.password == b"p@ss", handled=False)

    def _answer(self, command: str) -> str:
        waiting = self.answers.get(command)
        return waiting.pop(0) if waiting else "250 OK"


@asynccontextmanager
async def serving(server: Server, *, port: int = 0, **options: Any) -> AsyncIterator[Server]:
    loop = asyncio.get_running_loop()
    under_way: list[SMTP] = []

    def connection() -> SMTP:
        options.setdefault("enable_SMTPUTF8", True)
        under_way.append(SMTP(server, loop=loop, hostname="localhost", authenticator=server.authenticate, **options))
        return under_way[-1]

    listening = await loop.create_server(connection, "127.0.0.1", port)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for smtp in under_way:
            if smtp.transport is not None:
                smtp.transport.close()
            if smtp._handler_coroutine is not None:
                smtp._handler_coroutine.cancel()
        await asyncio.sleep(0)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that its own key has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = Path(tmp_path_factory.mktemp("tls")) / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def theirs(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))
