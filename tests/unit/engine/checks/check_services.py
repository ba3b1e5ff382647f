"""What the tests of checks that ask a service share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from passerelle.engine.checks.base import CheckResult, OutsideCheck
from passerelle.engine.kinds import StepFailure, Tools
from passerelle.kit.json import Json, dumps
from passerelle.kit.outgoing import (
    AnswerTooLarge,
    OutgoingAnswer,
    OutgoingError,
    OutgoingRefused,
    OutgoingTimeout,
    OutgoingUnreachable,
)
from passerelle.kit.outgoing.fake import FakeOutgoing, canned

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

MISBEHAVIOUR: tuple[tuple[OutgoingAnswer | OutgoingError, str, str | None, float | None], ...] = (
    (OutgoingUnreachable("no"), "HTTP_UNREACHABLE", "connection", None),
    (OutgoingTimeout("no"), "HTTP_TIMEOUT", "timeout", None),
    (OutgoingRefused("no"), "EGRESS_REFUSED", None, None),
    (AnswerTooLarge("no"), "HTTP_ANSWER_TOO_LARGE", None, None),
    (OutgoingAnswer(429, {"retry-after": "7"}, b""), "HTTP_STATUS_UNEXPECTED", "429", 7.0),
    (
        OutgoingAnswer(503, {"retry-after": "Mon, 23 Nov 2026 09:02:00 GMT"}, b"<html>"),
        "HTTP_STATUS_UNEXPECTED",
        "503",
        120.0,
    ),
    (OutgoingAnswer(500, {}, b"oops"), "HTTP_STATUS_UNEXPECTED", "500", None),
    (OutgoingAnswer(302, {"location": "https://elsewhere.example"}, b""), "HTTP_STATUS_UNEXPECTED", "302", None),
    (OutgoingAnswer(200, {}, b""), "SERVICE_ANSWER_MALFORMED", None, None),
    (OutgoingAnswer(200, {}, b"<html>maintenance</html>"), "SERVICE_ANSWER_MALFORMED", None, None),
    (OutgoingAnswer(200, {}, b"[]"), "SERVICE_ANSWER_MALFORMED", None, None),
    (OutgoingAnswer(200, {}, b'{"isValid": tru'), "SERVICE_ANSWER_MALFORMED", None, None),
    (OutgoingAnswer(200, {}, b"\xff\xfe"), "SERVICE_ANSWER_MALFORMED", None, None),
    (OutgoingAnswer(200, {}, b"{}"), "SERVICE_ANSWER_MALFORMED", None, None),
)
"""What any service may do instead of answering, and the failure that must come of it: code, reason, seconds to wait."""


def answering(*answers: Json | OutgoingAnswer | OutgoingError, status: int = 200) -> FakeOutgoing:
    """A service that gives these answers; what is no answer yet becomes one with that JSON."""
    made = [
        answer
        if isinstance(answer, OutgoingAnswer | OutgoingError)
        else OutgoingAnswer(status, {"content-type": "application/json"}, dumps(answer).encode())
        for answer in answers
    ]
    return FakeOutgoing(canned(*made))


async def run(
    check: OutsideCheck, outgoing: FakeOutgoing, limit: timedelta | None = None, **inputs: Any
) -> CheckResult:
    """The check's answer at `NOW`."""
    return await check.run(inputs, Tools(outgoing, NOW, limit))


async def failure(check: OutsideCheck, outgoing: FakeOutgoing, **inputs: Any) -> StepFailure:
    """How the check fails."""
    with pytest.raises(StepFailure) as caught:
        await run(check, outgoing, **inputs)
    return caught.value
