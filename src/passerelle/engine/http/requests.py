"""A configured request: filled in with an execution's values, and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from urllib.parse import urlencode, urlsplit

from passerelle.definitions.expressions import ExpressionError, Scope, Template
from passerelle.definitions.model import matches
from passerelle.engine.http.reading import AnswerForm, OutputReading, is_credential
from passerelle.engine.kinds import StepFailure, Tools
from passerelle.kit.json import Json, JsonObject, KnownJson, dumps
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
from passerelle.kit.outgoing.urls import has_dot_segments, pairs, plain_text, with_query
from passerelle.kit.version import VERSION

DEFAULT_TIMEOUT: Final = timedelta(seconds=10)

BodyForm = Literal["body", "text", "form"]
BODY_FORMS: Final[Mapping[BodyForm, str]] = {
    "body": "application/json",
    "text": "text/plain; charset=utf-8",
    "form": "application/x-www-form-urlencoded",
}
"""How a definition can write a body, and the content type of each."""

_REPEATABLE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that do the same when they are sent again (RFC 9110, 9.2.2)."""

FAILURES: Final[Mapping[type[OutgoingError], tuple[str, str | None]]] = {
    OutgoingRefused: ("EGRESS_REFUSED", None),
    OutgoingInvalid: ("HTTP_REQUEST_INVALID", None),
    OutgoingTimeout: ("HTTP_TIMEOUT", "timeout"),
    OutgoingUnreachable: ("HTTP_UNREACHABLE", "connection"),
    OutgoingUnreadable: ("HTTP_ANSWER_UNREADABLE", "answer"),
    AnswerTooLarge: ("HTTP_ANSWER_TOO_LARGE", None),
}
"""How each error of the client shows: the step's failure code, and the reason that `retry.on` knows."""


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """A compiled `http` step."""

    method: str
    url: Template
    headers: Template
    query: Template
    body_form: BodyForm | None
    body: Template
    answer: AnswerForm
    reading: OutputReading
    expect: tuple[str, ...]
    max_bytes: int
    timeout: timedelta | None

    def secrets(self, scope: Scope) -> list[Json]:
        """The values of the secrets that the step uses; all of them where it computes a name."""
        values = scope.get("secrets") or {}
        used = self._secret_paths()
        if any(len(path) < 2 for path in used):
            return list(values.values())
        return [values[path[1]] for path in used if path[1] in values]

    def missing_secrets(self, scope: Scope) -> list[str]:
        """The names of the secrets that the step uses and the workspace does not have (any more)."""
        values = scope.get("secrets") or {}
        return sorted({path[1] for path in self._secret_paths(guarded=False) if len(path) > 1} - set(values))

    @property
    def reads_secrets(self) -> bool:
        """Whether it sends secrets, or may."""
        return bool(self._secret_paths())

    @property
    def reads_credentials(self) -> bool:
        """Whether it reads a header of another step's answer that is masked everywhere else."""
        return any(
            len(path) > 3 and path[0] == "steps" and path[2] == "headers" and is_credential(path[3])
            for template in self._templates
            for path in (reference.path for reference in template.references)
        )

    @property
    def _templates(self) -> tuple[Template, ...]:
        return self.url, self.headers, self.query, self.body

    def _secret_paths(self, *, guarded: bool = True) -> list[tuple[str, ...]]:
        return [
            reference.path
            for template in self._templates
            for reference in template.references
            if reference.path[0] == "secrets" and (guarded or not reference.guarded)
        ]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request with everything filled in. `body` is what the timeline shows, `content` what is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Json
    content: bytes | None

    @property
    def where(self) -> str:
        """`GET https://registry.example`: for messages, which must show nothing of path and query."""
        parts = urlsplit(self.url)
        return f"{self.method} {parts.scheme}://{parts.netloc}"


def filled_in(config: HttpConfig, scope: Scope) -> HttpRequest:
    """Raises `StepFailure` where a value does not fit its place, `ExpressionError`."""
    url = config.url.render(scope)
    try:
        url = with_query(url, config.query.render(scope))
        headers = _headers(config.headers.render(scope))
        body = config.body.render(scope)
        content = _content(config.body_form, body)
    except ExpressionError:
        if missing := config.missing_secrets(scope):
            raise _without(missing) from None
        raise
    except ValueError as error:
        raise _invalid(str(error)) from None
    if has_dot_segments(url):
        raise _invalid("the path of `url` has a part that is only dots, which would lead to another place")
    return HttpRequest(config.method, url, headers, body, content)


def _headers(rendered: JsonObject) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in rendered.items():
        if value is not None:
            try:
                headers[name] = plain_text(value)
            except ValueError as error:
                raise ValueError(f"the header `{name}` {error}") from None
    return headers


def _content(form: BodyForm | None, body: KnownJson) -> bytes | None:
    match form:
        case None:
            return None
        case "form":
            return urlencode(list(pairs(body))).encode()
        case "text":
            return _text(body).encode()
    try:
        return dumps(body).encode()
    except TypeError:
        raise ValueError("`body` has a number of more than 64 bits, or is nested too deeply") from None


def _text(body: Json) -> str:
    try:
        return plain_text(body)
    except ValueError as error:
        raise ValueError(f"`text` {error}") from None


def _without(secrets: list[str]) -> StepFailure:
    names = ", ".join(secrets)
    return StepFailure(
        "SECRET_MISSING", f"The workspace has no secret {names}: set it with `passerelle secret set`, and retry."
    )


def _invalid(reason: str) -> StepFailure:
    return StepFailure("HTTP_REQUEST_INVALID", f"There is no request to send: {reason}.")


def with_ours(config: HttpConfig, request: HttpRequest, idempotency_key: str) -> Mapping[str, str]:
    """The request's own headers, and ours where it says nothing."""
    own = {name.lower() for name in request.headers}
    ours = {"User-Agent": f"Passerelle/{VERSION}", "Idempotency-Key": idempotency_key}
    if config.body_form is not None:
        ours["Content-Type"] = BODY_FORMS[config.body_form]
    return {**{name: value for name, value in ours.items() if name.lower() not in own}, **request.headers}


async def send(config: HttpConfig, request: HttpRequest, tools: Tools, idempotency_key: str) -> OutgoingAnswer:
    timeout = config.timeout or tools.timeout or DEFAULT_TIMEOUT
    try:
        return await tools.outgoing.request(
            request.method,
            request.url,
            headers=with_ours(config, request, idempotency_key),
            content=request.content,
            timeout_seconds=timeout.total_seconds(),
            max_bytes=config.max_bytes,
        )
    except OutgoingUnreadable as error:
        if error.status is not None and not _is_wanted(config, error.status):
            return OutgoingAnswer(error.status, error.headers, b"")
        code, reason = FAILURES[OutgoingUnreadable]
        # What has come was received: only a method that does no more the second time is worth another attempt.
        raise StepFailure(
            code,
            error.message,
            reason="connection" if request.method in _REPEATABLE else reason,
            details=None if error.status is None else {"status": error.status},
        ) from None
    except OutgoingError as error:
        code, reason = FAILURES[type(error)]
        raise StepFailure(code, error.message, reason=reason) from None


def _is_wanted(config: HttpConfig, status: int) -> bool:
    """Whether the body of an answer with this status is asked for."""
    if not matches(str(status), config.expect):
        return False
    return config.answer in ("json", "text") or (config.answer == "auto" and config.reading.body)
