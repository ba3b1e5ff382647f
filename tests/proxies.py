"""Debian's nginx before Passerelle, with Passerelle under a path."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.certificates import Certificate


@contextmanager
def nginx(port: int, upstream: int, path: str, *, strips: bool, tls: Certificate | None = None) -> Iterator[None]:
    """`http://localhost:<port><path>` is what answers at the port `upstream`; with `tls`, `https://…`.

    strips   whether the path is taken off requests on the way
    """
    encrypted = f"ssl_certificate {tls.certificate}; ssl_certificate_key {tls.key};" if tls is not None else ""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    assert Path(program).exists(), "nginx is not installed: run `make servers`"
    folder = Path(mkdtemp(prefix="nginx-"))
    (folder / "nginx.conf").write_text(
        f"""daemon off; pid {folder}/pid; error_log {folder}/error.log; user root;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    gzip on; gzip_min_length 0;
    server {{
        listen 127.0.0.1:{port}{" ssl" if tls is not None else ""}; {encrypted}
        location {path}/ {{
            proxy_pass http://127.0.0.1:{upstream}{"/" if strips else ""};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""
    )
    process = subprocess.Popen([program, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        else:
            raise AssertionError(f"nginx did not start: {(folder / 'error.log').read_text()}")
        yield
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
