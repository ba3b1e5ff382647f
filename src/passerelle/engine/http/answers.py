"""An answer as a step's output, or as its failure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from passerelle.definitions.model import matches
from passerelle.engine.http.reading import is_credential
from passerelle.engine.http.requests import HttpConfig, HttpRequest
from passerelle.engine.kinds import MASK, StepFailure
from passerelle.engine.redaction import Redaction
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.outgoing import OutgoingAnswer
from passerelle.kit.outgoing.content import ContentError, NotJson, NotText, content_of, json_of, text_of
from passerelle.kit.retry_after import retry_after

SHOWN: Final = 2_000
"""Characters of an unexpected answer's body that the timeline shows."""


def output_of(
    config: HttpConfig, request: HttpRequest, answer: OutgoingAnswer, now: datetime, redaction: Redaction
) -> Json:
    status = str(answer.status)
    if not matches(status, config.expect):
        raise _unexpected(config, request, answer, now, redaction)
    try:
        body = _body(config, answer)
    except ContentError as error:
        code = "HTTP_BODY_NOT_JSON" if isinstance(error, NotJson) else "HTTP_BODY_NOT_TEXT"
        raise StepFailure(
            code, f"{request.where} answered {status}, but {error}.", details=_details(answer, redaction)
        ) from None
    return {"status": answer.status, "headers": recorded(answer), "body": body}


def _body(config: HttpConfig, answer: OutgoingAnswer) -> Json:
    """The body as the definition wants it. Raises `ContentError`."""
    content_type = answer.headers.get("content-type", "")
    match config.answer:
        case "none":
            return None
        case "json":
            return json_of(content_type, answer.body)
        case "text":
            return text_of(content_type, answer.body) if answer.body else None
    try:
        return content_of(content_type, answer.body)
    except NotJson:
        if config.reading.members and answer.body.strip():
            raise
        return text_of(content_type, answer.body)
    except NotText:
        if config.reading.body:
            raise
        return None


def recorded(answer: OutgoingAnswer) -> dict[str, str]:
    """Headers as everybody may see them."""
    return {name: MASK if is_credential(name) else value for name, value in answer.headers.items()}


def _unexpected(
    config: HttpConfig, request: HttpRequest, answer: OutgoingAnswer, now: datetime, redaction: Redaction
) -> StepFailure:
    hint = "; redirects are not followed: name the new address in `url`" if 300 <= answer.status < 400 else ""
    return StepFailure(
        "HTTP_STATUS_UNEXPECTED",
        f"{request.where} answered {answer.status}, and {' or '.join(config.expect)} was expected{hint}.",
        reason=str(answer.status),
        after=wait_asked(answer, now),
        details=_details(answer, redaction),
    )


def _details(answer: OutgoingAnswer, redaction: Redaction) -> JsonObject:
    """The answer as it came, for whoever looks for the cause; of a long body only the beginning, and its size."""
    # Without secrets before it is cut, or half of one could be left at the end.
    text = redaction.text(answer.body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}"))
    details = {"status": answer.status, "headers": recorded(answer), "body": text[:SHOWN]}
    return details if len(text) <= SHOWN else {**details, "bodyBytes": len(answer.body), "bodyShown": SHOWN}


def wait_asked(answer: OutgoingAnswer, now: datetime) -> float | None:
    """Seconds that a busy other side asks us to wait; None where it does not, or is not busy."""
    asked = retry_after(answer.headers.get("retry-after"), now) if answer.status in (429, 503) else None
    return None if asked is None else asked.total_seconds()
