"""The example's register answers as the Ministry of Finance's API does, so that workflows hold against both."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from passerelle.engine.checks.company_number import CompanyNumber
from passerelle.engine.checks.iban import Iban
from tests.unit.examples.loading import EXAMPLES, load_program

register = load_program("company-check/register.py")
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
FIELDS = {
    *("name", "nip", "statusVat", "regon", "pesel", "krs", "residenceAddress", "workingAddress", "representatives"),
    *("authorizedClerks", "partners", "registrationLegalDate", "registrationDenialBasis", "registrationDenialDate"),
    *("restorationBasis", "restorationDate", "removalBasis", "removalDate", "exemptionSmeDate", "accountNumbers"),
    "hasVirtualAccounts",
}


def ask(target: str, **options: object) -> tuple[int, dict[str, object]]:
    answer = register.Register(clock=lambda: NOW, **options).answer(target)
    return answer[0], dict(answer[1])


def test_a_company_in_the_shape_of_the_public_register() -> None:
    status, body = ask("/api/search/nip/7740001454?date=2026-01-05")
    result = body["result"]
    assert isinstance(result, dict)
    assert status == 200
    assert result["requestDateTime"] == "05-01-2026 09:00:00"
    assert len(result["requestId"]) == 13
    assert result["subject"].keys() == FIELDS
    assert result["subject"]["name"] == "ORLEN SPÓŁKA AKCYJNA"


def test_an_unknown_company_has_no_subject_but_a_receipt() -> None:
    status, body = ask("/api/search/nip/9999999982?date=2026-01-05")
    assert status == 200
    assert isinstance(body["result"], dict)
    assert body["result"]["subject"] is None
    assert body["result"]["requestId"]


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/api/search/nip/?date=2026-01-05", 400, "WL-112"),
        ("/api/search/nip/774?date=2026-01-05", 400, "WL-113"),
        ("/api/search/nip/774000145%C5%BC?date=2026-01-05", 400, "WL-114"),
        ("/api/search/nip/7740001455?date=2026-01-05", 400, "WL-115"),
        ("/api/search/nip/7740001454", 400, "WL-101"),
        ("/api/search/nip/7740001454?date=05-01-2026", 400, "WL-102"),
        ("/api/search/nip/7740001454?date=2026-01-06", 400, "WL-103"),
        ("/api/search/name/ORLEN?date=2026-01-05", 404, "WL-190"),
    ],
)
def test_the_documented_errors(target: str, status: int, code: str) -> None:
    answer = ask(target)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert answer[1]["message"]


def test_every_company_has_numbers_that_pass() -> None:
    subjects = json.loads((EXAMPLES / "company-check/companies.json").read_text(encoding="utf-8"))
    for subject in subjects:
        assert subject.keys() == FIELDS
        numbers = {"NIP": subject["nip"], "REGON": subject["regon"], "KRS": subject["krs"]}
        for type_, value in numbers.items():
            assert value is None or CompanyNumber().run({"type": type_, "value": value}).passed, (
                subject["name"],
                type_,
            )
        for account in subject["accountNumbers"]:
            assert Iban().run({"value": account, "country": "PL"}).passed, (subject["name"], account)


def test_it_fails_as_often_as_it_is_told() -> None:
    program = register.Register(fail_every=3, clock=lambda: NOW)
    statuses = [program.answer("/api/search/nip/7740001454?date=2026-01-05")[0] for _ in range(6)]
    assert statuses == [200, 200, 500, 200, 200, 500]


def test_it_fails_as_often_as_it_is_told_when_many_ask_at_once() -> None:
    program = register.Register(fail_every=4, delay=0.02, clock=lambda: NOW)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(program.answer, ["/api/search/nip/7740001454?date=2026-01-05"] * 12))
    assert sorted(status for status, _ in answers) == [200] * 9 + [500] * 3


def test_it_serves_in_a_thread() -> None:
    with register.running(register.Register(clock=lambda: NOW)) as url, httpx.Client() as client:
        answer = client.get(f"{url}/api/search/nip/7740001455", params={"date": "2026-01-05"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    assert answer.json() == {"code": "WL-115", "message": "Nieprawidłowy NIP."}


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    with register.running(register.Register()) as url:
        port = url.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, EXAMPLES / "company-check/register.py", "--port", port],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port"
    ]
