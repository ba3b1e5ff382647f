"""One request of an `http` step, sent while the step is being written: what went out, what came back, what it means."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.engine.http.answers import output_of, recorded
from passerelle.engine.http.requests import HttpConfig, filled_in, send, with_ours
from passerelle.engine.kinds import MASK, StepFailure, Tools
from passerelle.engine.redaction import Redaction
from passerelle.kit.json import KnownJson
from passerelle.kit.outgoing import OutgoingAnswer
from passerelle.kit.outgoing.content import NotText, text_of

SHOWN: Final = 20_000
"""Characters of an answer's body that are shown."""
_CREDENTIALS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request as it went out, without secrets."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


@dataclass(frozen=True, slots=True)
class ShownResponse:
    """An answer without secrets. `size`: bytes of its body, of which `body` has the beginning."""

    status: int
    headers: dict[str, str]
    body: str
    size: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class HttpTrial:
    """What came of it: the step's output, or how it would fail.

    request   None where there was none to send
    response  None where none came, or none that could be read
    """

    request: ShownRequest | None
    response: ShownResponse | None
    milliseconds: int
    output: KnownJson
    failure: StepFailure | None


async def try_request(config: HttpConfig, scope: Scope, tools: Tools, idempotency_key: str) -> HttpTrial:
    """Send it once, as a run would, with the secrets that `scope` has. Never raises what a run would fail with."""
    redaction = Redaction(config.secrets(scope))
    try:
        request = filled_in(config, scope)
    except (StepFailure, ExpressionError) as error:
        return HttpTrial(None, None, 0, None, _failure(error, redaction))
    sent = _shown(config, scope, redaction, idempotency_key)
    began = time.perf_counter()
    try:
        answer = await _within(tools, send(config, request, tools, idempotency_key))
    except StepFailure as failure:
        return HttpTrial(sent, None, _since(began), None, _failure(failure, redaction))
    took = _since(began)
    response = _response(answer, redaction)
    try:
        output = redaction.json(output_of(config, request, answer, tools.now, redaction))
    except StepFailure as failure:
        return HttpTrial(sent, response, took, None, _failure(failure, redaction))
    return HttpTrial(sent, response, took, output, None)


async def _within(tools: Tools, sending: Awaitable[OutgoingAnswer]) -> OutgoingAnswer:
    """Within the step's own `timeout`, which may be shorter than that of the request."""
    seconds = tools.timeout.total_seconds() if tools.timeout is not None else None
    try:
        async with asyncio.timeout(seconds):
            return await sending
    except TimeoutError:
        raise StepFailure("STEP_TIMEOUT", f"no answer within {seconds:g} s", reason="timeout") from None


def _shown(config: HttpConfig, scope: Scope, redaction: Redaction, key: str) -> ShownRequest:
    """Filled in once more, with masks in the place of secrets: also of those that are too short to be looked for."""
    masked = {**scope, "secrets": dict.fromkeys(scope["secrets"], MASK)}
    try:
        request = filled_in(config, masked)
    except (StepFailure, ExpressionError):
        # It makes something of a secret that nothing can be made of the mask.
        return ShownRequest(config.method, MASK, {}, None)

    def plain(text: str) -> str:
        return redaction.text(text).replace(quote(MASK), MASK)

    sent = with_ours(config, request, key).items()
    headers = {name: MASK if name.lower() in _CREDENTIALS else plain(value) for name, value in sent}
    body = None if request.content is None else plain(request.content.decode("utf-8", "replace"))[:SHOWN]
    return ShownRequest(request.method, plain(request.url), headers, body)


def _response(answer: OutgoingAnswer, redaction: Redaction) -> ShownResponse:
    # Without secrets before it is cut, or half of one could be left at the end.
    try:
        # In its own encoding, or a secret in it would not be found.
        text = text_of(answer.headers.get("content-type", ""), answer.body)
    except NotText:
        text = answer.body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    body = redaction.text(text)
    headers = {name: redaction.text(value) for name, value in recorded(answer).items()}
    return ShownResponse(answer.status, headers, body[:SHOWN], len(answer.body), len(body) > SHOWN)


def _failure(error: StepFailure | ExpressionError, redaction: Redaction) -> StepFailure:
    if isinstance(error, ExpressionError):
        return StepFailure("EXPRESSION_FAILED", redaction.text(str(error)))
    return StepFailure(error.code, redaction.text(error.message), reason=error.reason)


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
