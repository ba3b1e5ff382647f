"""A real PgBouncer before a real PostgreSQL, as companies have it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from tests.certificates import Certificate

PoolMode = Literal["session", "transaction"]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def pgbouncer(
    server_url: str, mode: PoolMode, *, ignore: str = "", size: int = 3, tls: Certificate | None = None
) -> Iterator[str]:
    """A pooler before the server at `server_url`; the same address, through it.

    ignore   its `ignore_startup_parameters`
    size     so few connections to the server that clients share them all the time
    tls      what it shows to clients, which have to ask for TLS
    """
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    assert Path(program).exists(), "PgBouncer is not installed: run `make servers`"
    parts = urlsplit(server_url)
    host = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])[0]
    owner = Path(host).stat() if host.startswith("/") else None
    folder, port = Path(mkdtemp(prefix="pgbouncer-")), free_port()
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
* = host={host} port={parts.port or 5432} user={parts.username} password={unquote(parts.password or "")}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size if mode == "transaction" else 50}
max_client_conn = 500
ignore_startup_parameters = {ignore}
logfile = {folder}/log
{_encrypted(tls, folder)}"""
    )
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        # It refuses to run as root; whoever owns the server's socket may use that.
        uid = owner.st_uid if owner is not None and owner.st_uid else 65534
        account = {"user": uid, "group": owner.st_gid if owner is not None and owner.st_gid else 65534}
        for path in (folder, *folder.iterdir()):
            os.chown(path, account["user"], account["group"])
    process = subprocess.Popen([program, "-q", folder / "pgbouncer.ini"], **account)
    try:
        _until_listening(port, process, folder / "log")
        query = f"sslmode=verify-full&sslrootcert={tls.authority}" if tls is not None else ""
        yield parts._replace(netloc=f"anybody@localhost:{port}", query=query).geturl()
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _encrypted(tls: Certificate | None, folder: Path) -> str:
    if tls is None:
        return ""
    for source in (tls.certificate, tls.key):
        shutil.copy(source, folder)
    files = f"client_tls_cert_file = {folder}/{tls.certificate.name}\nclient_tls_key_file = {folder}/{tls.key.name}\n"
    return f"client_tls_sslmode = require\n{files}"


def _until_listening(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"PgBouncer did not start: {log.read_text() if log.exists() else process.returncode}")
