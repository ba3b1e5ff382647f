"""`vat-vies`: the service's own messages, its errors, and what it does when it does not work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.engine.checks.vat_vies import VatVies
from passerelle.kit.json import Json
from tests.unit.engine.checks.check_services import MISBEHAVIOUR, answering, failure, run

CHECK = VatVies()


def country_of(country: str | None) -> dict[str, Any]:
    """The input `country`, where there is one."""
    return {"country": country} if country else {}


def vies(**changes: Any) -> dict[str, Any]:
    """An answer as VIES gives it, the parts that nobody uses included."""
    return {
        "isValid": True,
        "requestDate": "2026-11-23T09:00:00.123Z",
        "userError": "VALID",
        "name": "ORLEN SPÓŁKA AKCYJNA",
        "address": "CHEMIKÓW 7\n09-411 PŁOCK",
        "requestIdentifier": "",
        "originalVatNumber": "7740001454",
        "vatNumber": "7740001454",
        "viesApproximate": {"name": "---", "street": "---", "matchName": 3},
        **changes,
    }


async def test_a_registered_number_passes_with_what_vies_says_of_it() -> None:
    outgoing = answering(vies())
    result = await run(CHECK, outgoing, value="PL 774-000-14-54")
    assert result.passed
    assert result.data == {
        "number": "PL7740001454",
        "country": "PL",
        "name": "ORLEN SPÓŁKA AKCYJNA",
        "address": "CHEMIKÓW 7\n09-411 PŁOCK",
        "consultedAt": "2026-11-23T09:00:00.123Z",
    }
    assert result.source == "VIES (ec.europa.eu)"
    assert [request.url for request in outgoing.requests] == [
        "https://ec.europa.eu/taxation_customs/vies/rest-api/ms/PL/vat/7740001454"
    ]


async def test_a_number_that_is_not_registered_does_not_pass() -> None:
    result = await run(
        CHECK, answering(vies(isValid=False, userError="INVALID", name="---", address="---")), value="PL1"
    )
    assert (result.status, result.reasons[0].code) == ("invalid", "FORMAT"), "one digit is not worth a request"
    result = await run(
        CHECK, answering(vies(isValid=False, userError="INVALID", name="---", address="---")), value="PL1111111111"
    )
    assert (result.status, result.reasons[0].code) == ("invalid", "NOT_REGISTERED")
    assert "name" not in result.data


@pytest.mark.parametrize(
    ("value", "country", "path"),
    [
        ("7740001454", "pl", "/ms/PL/vat/7740001454"),
        ("PL7740001454", "PL", "/ms/PL/vat/7740001454"),
        ("EL094259216", "GR", "/ms/EL/vat/094259216"),
        ("GR094259216", None, "/ms/EL/vat/094259216"),
        ("XI123456789", None, "/ms/XI/vat/123456789"),
        ("NL123456789B01", None, "/ms/NL/vat/123456789B01"),
    ],
)
async def test_the_country_is_the_numbers_prefix_or_given(value: str, country: str | None, path: str) -> None:
    outgoing = answering(vies())
    await run(CHECK, outgoing, value=value, **country_of(country))
    assert outgoing.requests[0].url.endswith(path)


async def test_ones_own_number_gives_a_consultation_number() -> None:
    outgoing = answering(vies(requestIdentifier="WAPIAAAAY123"))
    result = await run(CHECK, outgoing, value="DE129273398", requester="PL7740001454")
    assert result.data["consultationNumber"] == "WAPIAAAAY123"
    assert outgoing.requests[0].url.endswith("?requesterMemberStateCode=PL&requesterNumber=7740001454")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("7740001454", "COUNTRY_REQUIRED"),
        ("GB366303068", "COUNTRY_UNKNOWN"),
        ("CH123456788", "COUNTRY_UNKNOWN"),
        ("", "COUNTRY_REQUIRED"),
    ],
)
async def test_what_vies_cannot_know_is_not_asked(value: str, code: str) -> None:
    result = await run(CHECK, answering(), value=value)
    assert (result.status, result.reasons[0].code) == ("unknown", code)


@pytest.mark.parametrize(
    ("code", "expected", "reason"),
    [
        ("MS_UNAVAILABLE", "SERVICE_UNAVAILABLE", "503"),
        ("SERVICE_UNAVAILABLE", "SERVICE_UNAVAILABLE", "503"),
        ("TIMEOUT", "SERVICE_UNAVAILABLE", "503"),
        ("MS_MAX_CONCURRENT_REQ", "SERVICE_BUSY", "429"),
        ("MS_MAX_CONCURRENT_REQ_TIME", "SERVICE_BUSY", "429"),
        ("GLOBAL_MAX_CONCURRENT_REQ", "SERVICE_BUSY", "429"),
        ("GLOBAL_MAX_CONCURRENT_REQ_TIME", "SERVICE_BUSY", "429"),
        ("IP_BLOCKED", "SERVICE_REFUSED", None),
        ("SOMETHING_NEW", "SERVICE_ANSWER_MALFORMED", None),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
async def test_an_office_that_does_not_answer_is_a_failure_and_no_verdict(
    code: str, expected: str, reason: str | None, wrapped: bool
) -> None:
    """VIES says `isValid: false` with status 200 then: whoever reads only that rejects good companies."""
    plain = vies(isValid=False, userError=code, name="---")
    body: Json = {"actionSucceed": False, "errorWrappers": [{"error": code}]} if wrapped else plain
    failed = await failure(CHECK, answering(body, status=400 if wrapped else 200), value="DE129273398")
    assert (failed.code, failed.reason) == (expected, reason)


async def test_a_number_that_vies_refuses_is_malformed() -> None:
    body: Json = {"actionSucceed": False, "errorWrappers": [{"error": "INVALID_INPUT"}]}
    result = await run(CHECK, answering(body, status=400), value="DE12")
    assert (result.status, result.reasons[0].code) == ("invalid", "FORMAT")


@pytest.mark.parametrize(("answer", "code", "reason", "after"), MISBEHAVIOUR)
async def test_a_service_that_misbehaves_fails_the_step(answer: Any, code: str, reason: str, after: float) -> None:
    failed = await failure(CHECK, answering(answer), value="PL7740001454")
    assert (failed.code, failed.reason, failed.after) == (code, reason, after)
    assert "7740001454" not in failed.message


@pytest.mark.parametrize("changes", [{"isValid": "yes"}, {"userError": None}, {"isValid": False}])
async def test_contradicting_answers_are_no_verdict(changes: dict[str, Any]) -> None:
    failed = await failure(CHECK, answering(vies(**changes)), value="PL7740001454")
    assert failed.code == "SERVICE_ANSWER_MALFORMED"


async def test_the_steps_own_time_limit_counts() -> None:
    outgoing = answering(vies())
    await run(CHECK, outgoing, timedelta(seconds=3), value="PL7740001454")
    assert outgoing.requests[0].timeout_seconds == 3


def test_the_compiler_knows_the_countries() -> None:
    assert [name for name, _ in CHECK.problems({"country": "US", "requester": "1"}, frozenset())] == [
        "country",
        "requester",
    ]
    assert list(CHECK.problems({"country": "gr", "requester": "EL094259216"}, frozenset())) == []


@given(st.text(max_size=100), st.sampled_from([None, "PL", "GR"]))
async def test_any_text_leads_to_a_request_of_that_country_or_to_none(value: str, country: str | None) -> None:
    outgoing = answering(vies())
    await run(CHECK, outgoing, value=value, **country_of(country))
    for request in outgoing.requests:
        path = request.url.removeprefix("https://ec.europa.eu/taxation_customs/vies/rest-api/ms/")
        assert path.count("/") == 2, "nothing of the value leads to another place"
