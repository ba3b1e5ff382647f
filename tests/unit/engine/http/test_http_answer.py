"""What becomes of the answer to an `http` step: an output, or a failure that says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.definitions.model import Retry
from passerelle.engine.http.answers import SHOWN
from passerelle.engine.kinds import MASK, StepFailure
from passerelle.kit.json import dumps
from passerelle.kit.outgoing import (
    AnswerTooLarge,
    OutgoingAnswer,
    OutgoingError,
    OutgoingInvalid,
    OutgoingRefused,
    OutgoingTimeout,
    OutgoingUnreachable,
    OutgoingUnreadable,
)
from tests.unit.engine.http.http_steps import answer, fake, run, step

SECRET = "s3cret-of-ours"


async def failure(*answers: OutgoingAnswer | OutgoingError, **config: Any) -> StepFailure:
    """How the step fails for these answers."""
    with pytest.raises(StepFailure) as failed:
        await run(step(**config), fake(*answers), {"a": "1"}, {"KEY": SECRET})
    return failed.value


async def test_the_output_is_status_headers_and_body() -> None:
    output = await run(step(), fake(answer(b'{"age": 3}', 201, x_one="1")))
    assert output == {
        "status": 201,
        "headers": {"content-type": "application/json", "x-one": "1"},
        "body": {"age": 3},
    }


async def test_text_stays_text() -> None:
    output = await run(step(), fake(answer("żółw".encode("cp1250"), content_type="text/plain; charset=windows-1250")))
    assert output["body"] == "żółw"


@pytest.mark.parametrize("status", [200, 204])
async def test_an_empty_body_is_null(status: int) -> None:
    assert (await run(step(), fake(answer(b"", status))))["body"] is None


@pytest.mark.parametrize(
    "name",
    ["set-cookie", "authorization", "x-api-key", "x-auth-token", "x-subject-token", "x-csrf-token", "session-id"],
)
async def test_headers_that_carry_credentials_are_masked(name: str) -> None:
    headers = {"content-type": "application/json", name: "a=b", "www-authenticate": "Basic", "x-tokens-left": "7"}
    given = OutgoingAnswer(200, headers, b"{}")
    output = await run(step(), fake(given))
    assert output["headers"] == {
        "content-type": "application/json",
        name: MASK,
        "www-authenticate": "Basic",
        "x-tokens-left": "7",
    }


@pytest.mark.parametrize(
    ("expect", "status", "passes"),
    [
        (["2xx"], 299, True),
        (["2xx"], 302, False),
        (["2xx", 404], 404, True),
        (["2xx", "404"], 404, True),
        ([200], 201, False),
        (["3xx"], 301, True),
        (["4xx"], 200, False),
    ],
)
async def test_other_statuses_than_expected_are_failures(expect: list[Any], status: int, passes: bool) -> None:
    if passes:
        assert (await run(step(expect=expect), fake(answer(status=status))))["status"] == status
    else:
        assert (await failure(answer(status=status), expect=expect)).code == "HTTP_STATUS_UNEXPECTED"


@pytest.mark.parametrize(("status", "again"), [(503, True), (500, True), (429, True), (404, False), (302, False)])
async def test_the_status_decides_whether_the_step_is_tried_again(status: int, again: bool) -> None:
    failed = await failure(answer(status=status))
    assert failed.reason == str(status)
    assert Retry().covers(failed.reason) is again


async def test_an_unexpected_answer_is_shown_for_whoever_looks_for_the_cause() -> None:
    failed = await failure(answer(b'{"error": "no such company"}', 404, set_cookie="a=b"), expect=[200, "3xx"])
    assert failed.message == "GET https://host.example answered 404, and 200 or 3xx was expected."
    assert failed.details == {
        "status": 404,
        "headers": {"content-type": "application/json", "set-cookie": MASK},
        "body": '{"error": "no such company"}',
    }


async def test_of_a_long_unexpected_answer_the_beginning_is_shown_and_says_so() -> None:
    details = (await failure(answer(b"x" * 5_000, 500))).details
    assert details is not None
    assert details["body"] == "x" * SHOWN
    assert (details["bodyBytes"], details["bodyShown"]) == (5_000, SHOWN)


async def test_an_unexpected_answer_may_hold_anything() -> None:
    details = (await failure(answer(b"\xff\0\xfe", 500, content_type="image/png"))).details
    assert details is not None
    assert details["body"] == "\N{REPLACEMENT CHARACTER}" * 3


async def test_a_redirect_says_that_it_is_not_followed() -> None:
    failed = await failure(answer(b"", 302, location="https://elsewhere.example/"))
    assert "redirects are not followed" in failed.message
    assert failed.details is not None
    assert failed.details["headers"]["location"] == "https://elsewhere.example/"


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (503, "120", 120),
        (429, " 7 ", 7),
        (429, "Mon, 05 Jan 2026 09:01:30 GMT", 90),
        (503, "Mon, 05 Jan 2026 08:00:00 GMT", 0),
        (503, "99999999999999999999", 86_400),
        (503, "Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        (503, "9" * 400, 86_400),
        (503, "soon", None),
        (503, "-1", None),
        (503, "1.5", None),
        (503, "Mon, 05 Jan 2026 09:01:30 -0000", 90),
        (503, "Monday, 05-Jan-26 09:01:30 GMT", 90),
        (503, "Mon Jan  5 09:01:30 2026", 90),
        (503, "7, 120", 7),
        (503, "Mon, 99 Jan 2026 09:01:30 GMT", None),
        (503, "", None),
        (500, "120", None),
        (404, "120", None),
    ],
)
async def test_the_other_side_may_ask_for_time(status: int, value: str, seconds: float | None) -> None:
    assert (await failure(answer(status=status, retry_after=value))).after == seconds


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (OutgoingRefused("refused"), "EGRESS_REFUSED", None),
        (OutgoingInvalid("invalid"), "HTTP_REQUEST_INVALID", None),
        (OutgoingTimeout("slow"), "HTTP_TIMEOUT", "timeout"),
        (OutgoingUnreachable("gone"), "HTTP_UNREACHABLE", "connection"),
        (OutgoingUnreadable("broken"), "HTTP_ANSWER_UNREADABLE", "connection"),
        (AnswerTooLarge("large"), "HTTP_ANSWER_TOO_LARGE", None),
    ],
)
async def test_each_error_of_the_client_has_its_code_and_reason(
    error: OutgoingError, code: str, reason: str | None
) -> None:
    failed = await failure(error)
    assert (failed.code, failed.reason, failed.message) == (code, reason, error.message)


async def test_the_limit_of_size_reaches_the_client() -> None:
    assert (await failure(answer(b"x" * 1_025), maxSize="1KB")).code == "HTTP_ANSWER_TOO_LARGE"


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"<html>", "application/json", "HTTP_BODY_NOT_JSON"),
        (b"OK", "application/json", "HTTP_BODY_NOT_JSON"),
        (b"[" * 1_000, "application/json", "HTTP_BODY_NOT_JSON"),
        (b"1" * 400, "application/json", "HTTP_BODY_NOT_JSON"),
        (b'"\\u0000"', "application/json", "HTTP_BODY_NOT_JSON"),
        (b"\x89PNG", "image/png", "HTTP_BODY_NOT_TEXT"),
        (b"a\0b", "text/plain", "HTTP_BODY_NOT_TEXT"),
    ],
)
async def test_bodies_that_cannot_be_read_are_failures_for_good(body: bytes, content_type: str, code: str) -> None:
    failed = await failure(answer(body, content_type=content_type), reads="steps.ask.body.paid")
    assert (failed.code, failed.reason) == (code, None)
    assert failed.message.startswith("GET https://host.example answered 200, but ")


# Secrets


async def test_a_secret_that_the_other_side_repeats_does_not_reach_the_output() -> None:
    echo = answer(dumps({"you sent": f"Bearer {SECRET}", SECRET: [SECRET]}).encode(), x_echo=f"<{SECRET}>")
    outgoing = fake(echo)
    output = await run(step(headers={"Authorization": "Bearer ${secrets.KEY}"}), outgoing, {}, {"KEY": SECRET})
    assert outgoing.requests[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in dumps(output)
    assert output["body"] == {"you sent": f"Bearer {MASK}", MASK: [MASK]}
    assert output["headers"]["x-echo"] == f"<{MASK}>"


async def test_a_secret_that_the_other_side_repeats_does_not_reach_a_failure() -> None:
    echo = answer(b"x" * (SHOWN - 5) + SECRET.encode(), 500, x_echo=SECRET)
    failed = await failure(echo, headers={"X": "${secrets.KEY}"})
    assert SECRET[:5] not in dumps(failed.details)
    unreachable = OutgoingUnreachable(f"https://{SECRET} could not be reached.")
    failed = await failure(unreachable, url="https://${secrets.KEY}/")
    assert failed.message == f"https://{MASK} could not be reached."


async def test_only_the_secrets_that_the_step_uses_are_looked_for() -> None:
    """A workspace has many; one that happens to be a common word must not hide it everywhere."""
    output = await run(step(headers={"X": "${secrets.A}"}), fake(answer(b'"word"')), {}, {"A": SECRET, "B": "word"})
    assert output["body"] == "word"


async def test_all_secrets_are_looked_for_where_the_step_computes_a_name() -> None:
    made = step(headers={"X": "${secrets['K' + 'EY']}"})
    output = await run(made, fake(answer(dumps(SECRET).encode())), {}, {"KEY": SECRET})
    assert output["body"] == MASK


@pytest.mark.parametrize("body", [b"OK", b"\r\n", b"created", b"<html>"])
@pytest.mark.parametrize("reads", [None, "steps.ask", "steps.ask.status", "steps.ask.body"])
async def test_what_says_json_and_is_none_is_a_text_where_nobody_reads_members(body: bytes, reads: str | None) -> None:
    output = await run(step(reads=reads), fake(answer(body)))
    assert (output["status"], output["body"]) == (200, body.decode())


@pytest.mark.parametrize("content_type", ["", "text/plain", "text/html; charset=klingon", "application/octet-stream"])
async def test_a_definition_says_how_the_body_is_read(content_type: str) -> None:
    given = answer(b'{"name": "Acme"}', content_type=content_type)
    assert (await run(step(answer="json"), fake(given)))["body"] == {"name": "Acme"}
    assert (await run(step(answer="text"), fake(given)))["body"] == '{"name": "Acme"}'
    assert (await run(step(answer="none"), fake(given)))["body"] is None
    assert (await failure(answer(b"OK"), answer="json")).code == "HTTP_BODY_NOT_JSON"


async def test_a_body_without_a_type_is_looked_at() -> None:
    assert (await run(step(), fake(OutgoingAnswer(200, {}, b'{"name": "Acme"}'))))["body"] == {"name": "Acme"}
    assert (await run(step(), fake(OutgoingAnswer(200, {}, b"{name}"))))["body"] == "{name}"
    twice = {"content-type": "application/json, application/json"}
    assert (await run(step(), fake(OutgoingAnswer(200, twice, b"{}"))))["body"] == {}


async def test_a_header_to_log_in_with_is_kept_only_where_it_is_read() -> None:
    given = answer(set_cookie="JSESSIONID=abc123; Path=/", x_auth_token="tok-1")
    kept: dict[str, str] = {}
    await run(step(reads="steps.ask.headers['set-cookie']"), fake(given), keep=kept.__setitem__)
    assert kept == {"set-cookie": "JSESSIONID=abc123; Path=/"}
    kept.clear()
    await run(step(reads="steps.ask.headers"), fake(given), keep=kept.__setitem__)
    assert kept == {}


async def test_what_others_repeat_of_a_credential_is_masked() -> None:
    given = answer(b'{"you": "JSESSIONID=abc123", "also": "abc123"}')
    output = await run(step(), fake(given), credentials=["JSESSIONID=abc123; Path=/; HttpOnly"])
    assert output["body"] == {"you": f"JSESSIONID={MASK}", "also": MASK}
