"""A customer's own site for tests of the widget: another origin than Passerelle's, with a strict policy of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_TYPES: Final = {"js": "text/javascript; charset=utf-8", "html": "text/html; charset=utf-8"}


@dataclass
class Site:
    """Serves what is put into `files` (by path) to whoever asks at `port`, by any name of this machine.

    `policy`: the Content-Security-Policy that all of it is sent with.
    """

    port: int
    policy: str
    files: dict[str, str] = field(default_factory=dict)

    def url(self, path: str = "/", host: str = "localhost") -> str:
        """The address of a file."""
        return f"http://{host}:{self.port}{path}"


@contextmanager
def serving(policy: str) -> Iterator[Site]:
    """A site while the context lasts, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = site.files.get(self.path.partition("?")[0])
            body = (found or "").encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", _TYPES["js" if self.path.endswith(".js") else "html"])
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(server.server_port, policy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
