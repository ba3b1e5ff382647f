"""Asking a public service: one GET, its JSON, and every way in which it can fail, as a step's failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from passerelle.engine.http.answers import wait_asked
from passerelle.engine.http.requests import FAILURES
from passerelle.engine.kinds import StepFailure, Tools
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.outgoing import OutgoingAnswer, OutgoingError, OutgoingUnreadable
from passerelle.kit.outgoing.content import ContentError, content_of
from passerelle.kit.version import VERSION

TIMEOUT_SECONDS: Final = 10.0
"""Where the step has no `timeout` of its own."""
LARGEST: Final = 1_000_000
"""Bytes of an answer; those of the services have a few thousand."""

URL_SCHEMA: Final[JsonObject] = {"type": "string", "pattern": "^https?://[^?#]+$", "maxLength": 1000}


@dataclass(frozen=True, slots=True)
class Service:
    """A service, for messages, and where it answers."""

    name: str
    base_url: str

    def at(self, base_url: str | None) -> Service:
        """The same service at another address, where one is given."""
        return self if base_url is None else Service(self.name, base_url.rstrip("/"))

    @property
    def source(self) -> str:
        """What an answer stands on: `VIES (ec.europa.eu)`."""
        return f"{self.name} ({urlsplit(self.base_url).netloc})"

    def busy(self, code: str) -> StepFailure:
        """The service says that too many ask it at once."""
        return StepFailure("SERVICE_BUSY", f"{self.source} takes no more requests now ({code}).", reason="429")

    def down(self, code: str) -> StepFailure:
        """The service says that it cannot find out."""
        return StepFailure("SERVICE_UNAVAILABLE", f"{self.source} cannot answer now ({code}).", reason="503")

    def refused(self, code: str) -> StepFailure:
        """The service does not want to answer; asking again does not help."""
        return StepFailure("SERVICE_REFUSED", f"{self.source} refuses to answer ({code}).")

    def malformed(self, what: str) -> StepFailure:
        """The answer is not what the service's documentation promises."""
        return StepFailure("SERVICE_ANSWER_MALFORMED", f"{self.source} answered something else than expected: {what}.")


async def ask(service: Service, path: str, tools: Tools, *, expect: tuple[int, ...]) -> tuple[int, JsonObject]:
    """The status, one of `expect`, and the JSON object of a GET. `path` begins with `/` and is escaped already.

    Raises `StepFailure`; one that may pass has a reason that `retry` knows, and the wait that the service asks for.
    """
    limit = tools.timeout.total_seconds() if tools.timeout else TIMEOUT_SECONDS
    try:
        answer = await tools.outgoing.request(
            "GET",
            service.base_url + path,
            headers={"Accept": "application/json", "User-Agent": f"Passerelle/{VERSION}"},
            content=None,
            timeout_seconds=limit,
            max_bytes=LARGEST,
        )
    except OutgoingError as error:
        code, reason = FAILURES[type(error)]
        if isinstance(error, OutgoingUnreadable):
            reason = "connection"  # a question may be asked again
        raise StepFailure(code, error.message, reason=reason) from None
    if answer.status not in expect:
        raise StepFailure(
            "HTTP_STATUS_UNEXPECTED",
            f"{service.source} answered {answer.status}.",
            reason=str(answer.status),
            after=wait_asked(answer, tools.now),
        )
    return answer.status, _object(service, answer)


def _object(service: Service, answer: OutgoingAnswer) -> JsonObject:
    try:
        value: Json = content_of("application/json", answer.body)
    except ContentError as error:
        raise service.malformed(f"it {error}") from None
    if not isinstance(value, dict):
        raise service.malformed("its body is no JSON object")
    return value


def text(value: Json) -> str | None:
    """A text that says something; None for what is empty, missing, or the dashes that stand for nothing."""
    return value.strip() if isinstance(value, str) and value.strip(" -\n") else None
