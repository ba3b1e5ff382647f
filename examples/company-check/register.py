"""A company register to try workflows against: Poland's register of VAT taxpayers, the "white list", in small.

Answers `GET /api/search/nip/{nip}?date=YYYY-MM-DD` in the shape of the Ministry of Finance's own API
(https://wl-api.mf.gov.pl, version 1.6), its errors included, from `companies.json`. Needs nothing but Python:

    python examples/company-check/register.py --port 8090

`--delay-ms` and `--fail-every` make it slow or unreliable, as real registers are.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMPANIES = Path(__file__).with_name("companies.json")
POLAND = timezone(timedelta(hours=1))
"""The register's clock; summer time is left out."""
NIP_WEIGHTS = (6, 5, 7, 2, 3, 4, 5, 6, 7)

Answer = tuple[int, Mapping[str, Any]]
"""HTTP status and JSON body."""


class Refused(Exception):  # noqa: N818 - one of the API's documented answers
    """An error of the API: its HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer: Answer = (status, {"code": code, "message": message})


class Register:
    """The register's answers, without the network. `delay` in seconds; each `fail_every`th request fails (0: none)."""

    def __init__(
        self,
        companies: Path = COMPANIES,
        *,
        delay: float = 0,
        fail_every: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(POLAND),
    ) -> None:
        subjects = json.loads(companies.read_text(encoding="utf-8"))
        self.subjects = {subject["nip"]: subject for subject in subjects}
        self.requests = 0
        """How many it has been asked."""
        self._delay, self._fail_every, self._clock = delay, fail_every, clock
        self._counter = count(1)

    def answer(self, target: str) -> Answer:
        """What it says to a `GET` of this path and query."""
        self.requests = next(self._counter)
        time.sleep(self._delay)
        url = urlsplit(target)
        try:
            if self._fail_every and self.requests % self._fail_every == 0:
                raise Refused(500, "WL-100", "Wystąpił nieoczekiwany błąd serwera.")
            route = re.fullmatch(r"/api/search/nip/([^/]*)", url.path)
            if route is None:
                raise Refused(404, "WL-190", "Niepoprawne żądanie.")
            nip = unquote(route[1])
            _check_nip(nip)
            self._check_date(parse_qs(url.query).get("date", [""])[0])
        except Refused as refused:
            return refused.answer
        return 200, {"result": {"subject": self.subjects.get(nip), **self._receipt()}}

    def _check_date(self, text: str) -> None:
        if not text:
            raise Refused(400, "WL-101", "Pole 'data' nie może być puste.")
        try:
            day = datetime.strptime(text, "%Y-%m-%d").date()
        except ValueError:
            raise Refused(400, "WL-102", "Pole 'data' ma nieprawidłowy format.") from None
        if day > self._today():
            raise Refused(400, "WL-103", "Data nie może być datą przyszłą.")

    def _today(self) -> date:
        return self._clock().date()

    def _receipt(self) -> Mapping[str, str]:
        """What taxpayers keep as proof that they asked."""
        letters = string.ascii_letters + string.digits
        parts = ("".join(secrets.choice(letters) for _ in range(length)) for length in (5, 7))
        return {"requestId": "-".join(parts), "requestDateTime": f"{self._clock():%d-%m-%Y %H:%M:%S}"}


def _check_nip(nip: str) -> None:
    if not nip:
        raise Refused(400, "WL-112", "Pole 'NIP' nie może być puste.")
    if len(nip) != 10:
        raise Refused(400, "WL-113", "Pole 'NIP' ma nieprawidłową długość. Wymagane 10 znaków.")
    if not re.fullmatch("[0-9]+", nip):
        raise Refused(400, "WL-114", "Pole 'NIP' zawiera niedozwolone znaki. Wymagane tylko cyfry.")
    if sum(weight * int(digit) for weight, digit in zip(NIP_WEIGHTS, nip, strict=False)) % 11 != int(nip[9]):
        raise Refused(400, "WL-115", "Nieprawidłowy NIP.")


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    daemon_threads = True
    request_queue_size = 128


def make_server(register: Register, port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server that is bound but does not run yet. Port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: two would wait for each other

        def do_GET(self) -> None:
            status, body = register.answer(self.path)
            content = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the workflow's timeline shows what was asked."""

    return Server((host, port), Handler)


@contextmanager
def running(register: Register, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serves in a thread as long as the block lasts; gives the base URL."""
    server = make_server(register, port, host)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description="A small register of Polish VAT taxpayers for trying workflows.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--delay-ms", type=int, default=0, help="wait before each answer")
    parser.add_argument("--fail-every", type=int, default=0, metavar="N", help="answer each Nth request with a 500")
    options = parser.parse_args()
    register = Register(delay=options.delay_ms / 1000, fail_every=options.fail_every)
    try:
        server = make_server(register, options.port, options.host)
    except OSError as error:
        parser.exit(1, f"cannot listen on {options.host}:{options.port}: {error.strerror}; choose another --port\n")
    print(
        f"http://{options.host}:{server.server_port}/api/search/nip/7740001454?date={datetime.now(POLAND):%Y-%m-%d}",
        flush=True,
    )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
