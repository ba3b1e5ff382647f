"""A company register to try workflows against: Poland's register of VAT taxpayers, the "white list", in small.

Answers `GET /api/search/nip/{nip}?date=YYYY-MM-DD` in the shape of the Ministry of Finance's own API
(https://wl-api.mf.gov.pl, version 1.6), its errors included, from `companies.json`. Of the same companies it answers
`GET /vies/ms/PL/vat/{nip}` as VIES does, the register of VAT numbers of the EU. Needs nothing but Python:

    python examples/company-check/register.py --port 8090

`--delay-ms`, `--fail-every` and `--per-second` make it slow, unreliable or strict, as real registers are.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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

EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("regon", "pesel", "krs", "residenceAddress", "workingAddress", "registrationLegalDate")),
    **dict.fromkeys(("registrationDenialBasis", "registrationDenialDate", "restorationBasis", "restorationDate")),
    **dict.fromkeys(("removalBasis", "removalDate", "exemptionSmeDate")),
    **{name: [] for name in ("representatives", "authorizedClerks", "partners", "accountNumbers")},
    "hasVirtualAccounts": False,
}
"""What a company's entry says where its file says nothing."""

Answer = tuple[int, Mapping[str, Any]]
"""HTTP status and JSON body."""


class Refused(Exception):  # noqa: N818 - one of the API's documented answers
    """An error of the API: its HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer: Answer = (status, {"code": code, "message": message})


class Limit:
    """So many requests a second, and a second's worth at once (0: no limit)."""

    def __init__(self, per_second: float) -> None:
        self._per_second, self._left, self._at = per_second, per_second, time.monotonic()
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Whether one more request is within the limit. One that is not does not count."""
        if not self._per_second:
            return True
        with self._lock:
            now = time.monotonic()
            self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Register:
    """The register's answers, without the network. `delay` in seconds; each `fail_every`th request fails (0: none);
    at most `per_second` are answered (0: all of them). `others` are further files of companies.
    """

    def __init__(
        self,
        companies: Path = COMPANIES,
        *,
        delay: float = 0,
        fail_every: int = 0,
        per_second: float = 0,
        others: Sequence[Path] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(POLAND),
    ) -> None:
        subjects = [one for file in (companies, *others) for one in json.loads(file.read_text(encoding="utf-8"))]
        self.subjects = {subject["nip"]: {**EMPTY, **subject} for subject in subjects}
        self.requests = 0
        """How many it has been asked, those beyond its limit left out."""
        self._limit = Limit(per_second)
        self._delay, self._fail_every, self._clock = delay, fail_every, clock
        self._counter = count(1)

    def answer(self, target: str) -> Answer:
        """What it says to a `GET` of this path and query."""
        if not self._limit.allows():
            return 429, {"code": "WL-191", "message": "Przekroczono limit liczby zapytań."}
        number = self.requests = next(self._counter)
        time.sleep(self._delay)
        url = urlsplit(target)
        try:
            if self._fail_every and number % self._fail_every == 0:
                raise Refused(500, "WL-100", "Wystąpił nieoczekiwany błąd serwera.")
            if (vat := re.fullmatch(r"/vies/ms/PL/vat/([0-9]{10})", url.path)) is not None:
                return 200, self._vies(vat[1])
            route = re.fullmatch(r"/api/search/nip/([^/]*)", url.path)
            if route is None:
                raise Refused(404, "WL-190", "Niepoprawne żądanie.")
            nip = unquote(route[1])
            _check_nip(nip)
            self._check_date(parse_qs(url.query).get("date", [""])[0])
        except Refused as refused:
            return refused.answer
        return 200, {"result": {"subject": self.subjects.get(nip), **self._receipt()}}

    def _vies(self, nip: str) -> Mapping[str, Any]:
        """What VIES says (https://ec.europa.eu/taxation_customs/vies/rest-api)."""
        subject = self.subjects.get(nip)
        valid = subject is not None and subject["statusVat"] == "Czynny"
        return {
            "isValid": valid,
            "requestDate": f"{self._clock():%Y-%m-%dT%H:%M:%S.000Z}",
            "userError": "VALID" if valid else "INVALID",
            "name": subject["name"] if subject is not None and valid else "---",
            "address": (subject["workingAddress"] if subject is not None and valid else None) or "---",
            "requestIdentifier": "",
            "vatNumber": nip,
        }

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
            if status == 429:
                self.send_header("Retry-After", "1")
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
    parser.add_argument("--per-second", type=float, default=0, metavar="N", help="answer more than N with a 429")
    parser.add_argument(
        "--companies", type=Path, action="append", default=[], metavar="FILE", help="a further file of companies"
    )
    options = parser.parse_args()
    register = Register(
        delay=options.delay_ms / 1000,
        fail_every=options.fail_every,
        per_second=options.per_second,
        others=options.companies,
    )
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
