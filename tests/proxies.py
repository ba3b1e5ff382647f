"""Debian's nginx before Passerelle, with Passerelle under a path: with the locations of `deploy/proxies/nginx.conf`."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.certificates import Certificate

EXAMPLE = Path(__file__).parents[1] / "deploy" / "proxies" / "nginx.conf"
_LOCATION = re.compile(r"^    location (=?) ?(/\S*) \{\n.*?^    \}\n", re.MULTILINE | re.DOTALL)


def _example(upstream: int, path: str, *, strips: bool) -> str:
    """The example's locations as they are under a path, as it says itself."""
    found = [one for one in _LOCATION.finditer(EXAMPLE.read_text()) if "proxy_pass http://passerelle;" in one[0]]
    assert [one[2] for one in found] == ["/", "/events"]
    return "".join(
        one[0]
        .replace(f"location {one[1]}{' ' if one[1] else ''}{one[2]}", f"location {one[1]} {path}{one[2]}")
        .replace("http://passerelle;", f"http://127.0.0.1:{upstream}{one[2] if strips else ''};")
        for one in found
    )


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
{_example(upstream, path, strips=strips)}
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
