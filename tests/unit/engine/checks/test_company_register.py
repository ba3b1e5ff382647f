"""`company-register`: against the register of `examples/company-check`, and one that misbehaves."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from passerelle.engine.checks.company_register import CompanyRegister
from passerelle.kit.json import dumps
from passerelle.kit.outgoing import OutgoingAnswer
from passerelle.kit.outgoing.fake import FakeOutgoing, SentRequest
from tests.unit.engine.checks.check_services import MISBEHAVIOUR, NOW, answering, failure, run
from tests.unit.examples.loading import load_program

REGISTER = load_program("company-check/register.py")
CHECK = CompanyRegister()


def register() -> FakeOutgoing:
    """The example's register, without the network."""
    answers = REGISTER.Register(clock=lambda: NOW)

    def respond(request: SentRequest) -> OutgoingAnswer:
        parts = urlsplit(request.url)
        status, body = answers.answer(f"{parts.path}?{parts.query}")
        return OutgoingAnswer(status, {"content-type": "application/json"}, dumps(body).encode())

    return FakeOutgoing(respond)


async def test_a_registered_company_passes_with_what_the_register_says() -> None:
    outgoing = register()
    result = await run(CHECK, outgoing, value="774-000-14-54")
    assert result.passed
    data = dict(result.data)
    assert data.pop("requestId")
    assert data == {
        "vatStatus": "active",
        "name": "ORLEN SPÓŁKA AKCYJNA",
        "nip": "7740001454",
        "regon": "610188201",
        "krs": "0000028860",
        "address": "CHEMIKÓW 7, 09-411 PŁOCK",
        "registeredOn": "1993-07-05",
        "requestedAt": "23-11-2026 09:00:00",
    }
    assert result.source == "Wykaz podatników VAT (wl-api.mf.gov.pl)"
    assert [request.url for request in outgoing.requests] == [
        "https://wl-api.mf.gov.pl/api/search/nip/7740001454?date=2026-11-23"
    ]


@pytest.mark.parametrize(
    ("nip", "status", "codes", "vat_status"),
    [
        ("1111111111", "valid", [], "exempt"),
        ("1234563218", "invalid", ["NOT_REGISTERED"], "notRegistered"),
        ("5555555555", "invalid", ["NOT_REGISTERED"], "notRegistered"),
        ("9999999982", "invalid", ["NOT_IN_REGISTER"], None),
    ],
)
async def test_what_the_register_knows_decides(nip: str, status: str, codes: list[str], vat_status: str | None) -> None:
    result = await run(CHECK, register(), value=nip)
    assert (result.status, [reason.code for reason in result.reasons]) == (status, codes)
    assert result.data.get("vatStatus") == vat_status
    assert result.data["nip"] == nip
    assert result.data["requestId"], "the proof that the register was asked"


@pytest.mark.parametrize(
    ("account", "listed"),
    [
        ("57 1750 1048 0000 0000 3984 6853", True),
        ("PL57175010480000000039846853", True),
        ("PL61109010140000071219812874", False),
    ],
)
async def test_an_account_must_be_among_the_companys(account: str, listed: bool) -> None:
    result = await run(CHECK, register(), value="6762453507", account=account)
    assert (result.passed, result.data["accountListed"]) == (listed, listed)
    assert [reason.code for reason in result.reasons] == ([] if listed else ["ACCOUNT_NOT_LISTED"])


async def test_virtual_accounts_are_said_to_be_unlisted() -> None:
    result = await run(CHECK, register(), value="7740001454", account="PL61109010140000071219812874")
    assert "virtual accounts" in result.reasons[0].message


async def test_a_number_that_cannot_be_is_not_asked_for() -> None:
    outgoing = register()
    result = await run(CHECK, outgoing, value="7740001455")
    assert (result.status, result.reasons[0].code, outgoing.requests) == ("invalid", "CHECKSUM", [])


async def test_a_regon_and_another_address() -> None:
    outgoing = answering({"result": {"subject": None, "requestId": "a-1", "requestDateTime": "23-11-2026 09:00:00"}})
    result = await run(CHECK, outgoing, value="610188201", type="regon", baseUrl="https://register.example/wl/")
    assert outgoing.requests[0].url == "https://register.example/wl/api/search/regon/610188201?date=2026-11-23"
    assert result.data == {"regon": "610188201", "requestId": "a-1", "requestedAt": "23-11-2026 09:00:00"}
    assert result.source == "Wykaz podatników VAT (register.example)"


async def test_what_the_register_refuses_is_a_failure() -> None:
    refused = answering({"code": "WL-103", "message": "Data nie może być datą przyszłą."}, status=400)
    failed = await failure(CHECK, refused, value="7740001454")
    assert (failed.code, failed.reason) == ("SERVICE_REFUSED", None)
    assert "WL-103" in failed.message


@pytest.mark.parametrize(("answer", "code", "reason", "after"), MISBEHAVIOUR)
async def test_a_service_that_misbehaves_fails_the_step(answer: Any, code: str, reason: str, after: float) -> None:
    failed = await failure(CHECK, answering(answer), value="7740001454")
    assert (failed.code, failed.reason, failed.after) == (code, reason, after)
    assert "7740001454" not in failed.message


@pytest.mark.parametrize(
    "result",
    [
        [],
        {},
        {"subject": "ORLEN"},
        {"subject": {"statusVat": 1}},
        {"subject": {"statusVat": "Nowy"}},
        {"subject": {"statusVat": "Czynny", "accountNumbers": None}},
    ],
)
async def test_an_answer_of_another_shape_is_no_verdict(result: Any) -> None:
    failed = await failure(CHECK, answering({"result": result}), value="7740001454", account="1")
    assert failed.code == "SERVICE_ANSWER_MALFORMED"


def test_the_compiler_knows_the_types() -> None:
    assert [name for name, _ in CHECK.problems({"type": "KRS"}, frozenset())] == ["type"]
    assert list(CHECK.problems({"type": "regon"}, frozenset())) == []
