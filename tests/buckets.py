"""A bucket as S3 has them: puts, gives and deletes objects of one name, and knows no other."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Bucket:
    """What is in it, and how to reach it. `refuses`: methods that its credentials do not allow."""

    def __init__(self, name: str, *refuses: str) -> None:
        bucket = self
        self.objects: dict[str, bytes] = {}
        self.paths: list[str] = []
        """Of all objects that were ever put."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self, status: int, content: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("ETag", '"etag"')
                self.send_header("Last-Modified", "Mon, 05 Jan 2026 00:00:00 GMT")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _key(self) -> str | None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                place, _, key = self.path.partition("?")[0].lstrip("/").partition("/")
                if self.command in refuses:
                    self._answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
                    return None
                if place != name:
                    self._answer(404, b"<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>")
                    return None
                if self.command == "PUT":
                    bucket.objects[key] = body
                    bucket.paths.append(key)
                return key

            def do_PUT(self) -> None:
                if self._key() is not None:
                    self._answer(200)

            def do_GET(self) -> None:
                if (key := self._key()) is not None:
                    self._answer(*((200, bucket.objects[key]) if key in bucket.objects else (404, b"")))

            def do_POST(self) -> None:
                """Several are deleted at once, and each is answered for itself."""
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                told = ""
                for key in re.findall(r"<Key>(.*?)</Key>", body):
                    if "DELETE" in refuses:
                        told += f"<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
                    else:
                        bucket.objects.pop(key, None)
                        told += f"<Deleted><Key>{key}</Key></Deleted>"
                self._answer(200, f"<DeleteResult>{told}</DeleteResult>".encode())

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.environment: Mapping[str, str] = {
            "AWS_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@contextmanager
def bucket(name: str, *refuses: str) -> Iterator[Bucket]:
    """A bucket that is there for as long as the block."""
    made = Bucket(name, *refuses)
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
