"""An answer as a step's output, or as its failure."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from passerelle.definitions.model import matches
from passerelle.engine.http.requests import HttpConfig, HttpRequest
from passerelle.engine.kinds import StepFailure
from passerelle.engine.redaction import Redaction
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.outgoing import OutgoingAnswer
from passerelle.kit.outgoing.content import ContentError, NotJson, content_of

LONGEST_WAIT: Final = 86_400.0
"""Seconds that another side's `Retry-After` can put an attempt off."""
SHOWN: Final = 2_000
"""Characters of an unexpected answer's body that the timeline shows."""

_UNRECORDED: Final = frozenset(
    {
        "set-cookie",
        "set-cookie2",
        "cookie",
        "authorization",
        "proxy-authorization",
        "authentication-info",
        "proxy-authentication-info",
        "x-auth-token",
        "x-api-key",
    }
)
"""Headers that carry credentials."""


def output_of(
    config: HttpConfig, request: HttpRequest, answer: OutgoingAnswer, now: datetime, redaction: Redaction
) -> Json:
    status = str(answer.status)
    if not matches(status, config.expect):
        raise _unexpected(config, request, answer, now, redaction)
    headers = _recorded(answer)
    try:
        body = content_of(headers.get("content-type", ""), answer.body)
    except ContentError as error:
        code = "HTTP_BODY_NOT_JSON" if isinstance(error, NotJson) else "HTTP_BODY_NOT_TEXT"
        raise StepFailure(
            code, f"{request.where} answered {status}, but {error}.", details=_details(answer, redaction)
        ) from None
    return {"status": answer.status, "headers": headers, "body": body}


def _recorded(answer: OutgoingAnswer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in _UNRECORDED}


def _unexpected(
    config: HttpConfig, request: HttpRequest, answer: OutgoingAnswer, now: datetime, redaction: Redaction
) -> StepFailure:
    hint = "; redirects are not followed: name the new address in `url`" if 300 <= answer.status < 400 else ""
    return StepFailure(
        "HTTP_STATUS_UNEXPECTED",
        f"{request.where} answered {answer.status}, and {' or '.join(config.expect)} was expected{hint}.",
        reason=str(answer.status),
        after=retry_after(answer, now) if answer.status in (429, 503) else None,
        details=_details(answer, redaction),
    )


def _details(answer: OutgoingAnswer, redaction: Redaction) -> JsonObject:
    """The answer as it came, for whoever looks for the cause; of a long body only the beginning, and its size."""
    # Without secrets before it is cut, or half of one could be left at the end.
    text = redaction.text(answer.body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}"))
    details = {"status": answer.status, "headers": _recorded(answer), "body": text[:SHOWN]}
    return details if len(text) <= SHOWN else {**details, "bodyBytes": len(answer.body), "bodyShown": SHOWN}


def retry_after(answer: OutgoingAnswer, now: datetime) -> float | None:
    """Seconds, from the header's seconds or date (RFC 9110, 10.2.3); at most a day. None where it says nothing."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    try:
        seconds = (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a time zone
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)
