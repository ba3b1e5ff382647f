"""TLS is checked for the name in the URL, although the connection goes to an address that was looked up before."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from passerelle.kit.outgoing import OutgoingUnreachable
from passerelle.kit.outgoing.client import OutgoingClient, trusted_roots
from passerelle.kit.outgoing.rules import EgressRules
from tests.integration.kit.outgoing.loopback import Connection, answering, serving

HELLO = answering("HTTP/1.1 200 OK", b"hello")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for registry.test, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registry.test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("registry.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "registry.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def ask(host: str, port: int, trusted: Path | None) -> bytes:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    tls = ssl.create_default_context(cafile=trusted) if trusted else None
    client = OutgoingClient(EgressRules.parse("127.0.0.1"), resolve=resolve, tls=tls)
    try:
        url = f"https://{host}:{port}/"
        answer = await client.request("GET", url, headers={}, content=None, timeout_seconds=5)
        return answer.body
    finally:
        await client.close()


async def test_the_name_is_sent_and_checked_not_the_address(certificate: Path, server_side: ssl.SSLContext) -> None:
    asked: list[str | None] = []
    server_side.sni_callback = lambda _, name, __: asked.append(name)
    async with serving(HELLO, server_side) as server:
        assert await ask("registry.test", server.port, certificate) == b"hello"
    assert asked == ["registry.test"]
    assert f"Host: registry.test:{server.port}".encode() in server.heads[0]


async def test_a_certificate_for_another_name_is_refused(certificate: Path, server_side: ssl.SSLContext) -> None:
    async with serving(HELLO, server_side) as server:
        with pytest.raises(OutgoingUnreachable, match=r"could not prove its identity: Hostname mismatch"):
            await ask("other.test", server.port, certificate)
    assert server.heads == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(server_side: ssl.SSLContext) -> None:
    async with serving(HELLO, server_side) as server:
        with pytest.raises(OutgoingUnreachable, match=r"could not prove its identity: self.signed"):
            await ask("registry.test", server.port, None)
    assert server.heads == []


async def test_a_server_without_tls_is_named(certificate: Path) -> None:
    async def plain(connection: Connection) -> None:
        await connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(plain) as server:
        with pytest.raises(OutgoingUnreachable, match="no TLS connection could be agreed"):
            await ask("registry.test", server.port, certificate)


def test_what_we_call_has_to_speak_tls_1_2_at_least() -> None:
    context = trusted_roots()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_a_server_that_speaks_old_tls_alone_is_refused(certificate: Path, server_side: ssl.SSLContext) -> None:
    server_side.minimum_version = ssl.TLSVersion.TLSv1
    server_side.maximum_version = ssl.TLSVersion.TLSv1_1
    server_side.set_ciphers("ALL:@SECLEVEL=0")
    async with serving(HELLO, server_side) as server:
        with pytest.raises(OutgoingUnreachable):
            await ask("registry.test", server.port, certificate)
    assert server.heads == []
