"""The stand-in for tests and scenarios: canned answers, no network, the same checks before sending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from passerelle.kit.outgoing import DEFAULT_MAX_BYTES, AnswerTooLarge, OutgoingAnswer, OutgoingError
from passerelle.kit.outgoing.target import check_head, origin_of, target_of


@dataclass(frozen=True, slots=True)
class SentRequest:
    """One request, as it would have gone out."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    timeout_seconds: float


Respond = Callable[[SentRequest], OutgoingAnswer]
"""The other side. May raise an `OutgoingError`."""


def canned(*answers: OutgoingAnswer | OutgoingError) -> Respond:
    """Another side that gives these answers, one for each request."""
    left = iter(answers)

    def respond(request: SentRequest) -> OutgoingAnswer:
        answer = next(left, None)
        if answer is None:
            raise AssertionError(f"no answer is left for {request.method} {request.url}")
        if isinstance(answer, OutgoingError):
            raise answer
        return answer

    return respond


@dataclass
class FakeOutgoing:
    """An `Outgoing` without a network: `respond` is the other side, `requests` what reached it."""

    respond: Respond
    requests: list[SentRequest] = field(default_factory=list)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout_seconds: float,
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> OutgoingAnswer:
        """See `Outgoing.request`; addresses are not resolved, so none is refused."""
        check_head(method, headers)
        target = target_of(url)
        request = SentRequest(method, str(target), dict(headers), content, timeout_seconds)
        self.requests.append(request)
        answer = self.respond(request)
        if len(answer.body) > max_bytes:
            raise AnswerTooLarge(f"{origin_of(target)} answered more than {max_bytes:,} bytes.")
        return answer
