"""`http`: one request to the outside. Its output is `{status, headers, body}`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import ClassVar, Final
from urllib.parse import quote

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.parts import part
from passerelle.definitions.readings import members
from passerelle.engine.http.answers import output_of
from passerelle.engine.http.reading import ANSWERS, OutputReading, parts_of
from passerelle.engine.http.requests import BODY_FORMS, BodyForm, HttpConfig, filled_in, send
from passerelle.engine.kinds import MASK, OutsideKind, StepFailure, Tools
from passerelle.engine.redaction import Redaction
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.kit.outgoing import DEFAULT_MAX_BYTES
from passerelle.kit.outgoing.rules import is_local, local_warning
from passerelle.kit.outgoing.urls import insert_into_url

LONGEST_TIMEOUT: Final = timedelta(minutes=5)
LARGEST: Final = 20 * 1024**2
"""Bytes of an answer that a definition may ask for: larger ones do not belong into an execution's values."""

_OURS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to the connection: setting them would send another request than was meant."""
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})

_HOST: Final = re.compile(r"https?://([^/?#:@$\[]+|\[[^\]]*\])(?=[:/?#]|$)", re.IGNORECASE)
"""The host of an address, where the definition says it outright."""


class HttpKind(OutsideKind[HttpConfig]):
    """The kind as definitions know it."""

    name = "http"
    secrets_allowed = True
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "One request to the outside; the output is `{status, headers, body}`.",
        "additionalProperties": False,
        "required": ["url"],
        "properties": {
            "method": {
                "enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
                "default": "GET",
                "description": "The request's method.",
            },
            "url": {
                "type": "string",
                "pattern": r"^(https?://|\$\{)",
                "errorMessage": "must begin with `https://`, `http://` or `${…}`",
                "description": "Where to; values in it are percent-encoded, except one at the very start.",
                "examples": ["https://registry.example/companies/${steps.company.companyNumber}"],
            },
            "headers": {
                "type": "object",
                "propertyNames": {
                    "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
                    "errorMessage": "a header's name has letters, digits and `-` only",
                },
                "description": "Headers by name; a value that is null leaves its header out.",
                "examples": [{"Authorization": "Bearer ${secrets.REGISTRY_KEY}"}],
            },
            "query": {
                "type": "object",
                "description": "The URL's query by name; null leaves a name out, a list repeats it.",
                "examples": [{"country": "${parameters.country}", "active": True}],
            },
            "body": {"description": "What is sent, as JSON.", "examples": [{"taxId": "${parameters.taxId}"}]},
            "text": part("textTemplate", "What is sent, as plain text."),
            "form": {
                "type": "object",
                "description": "What is sent, as a form; null leaves a name out, a list repeats it.",
                "examples": [{"grant_type": "client_credentials"}],
            },
            "expect": {
                "type": "array",
                "minItems": 1,
                "description": "The statuses that are a success, singly or as `2xx`; any other is a failure.",
                "default": ["2xx"],
                "items": {
                    "type": ["string", "integer"],
                    "minimum": 200,
                    "maximum": 599,
                    "pattern": "^[2-5](xx|[0-9][0-9])$",
                    "errorMessage": "must be a status from 200 to 599, or all of `2xx`, `3xx`, `4xx` or `5xx`",
                },
                "examples": [["2xx", 404]],
            },
            "answer": {
                "enum": list(ANSWERS),
                "default": "auto",
                "description": "How the answer's body is read: `json` and `text` whatever it says of itself, `none` not"
                " at all. `auto`: by its type; what says JSON and is none is a text, unless members of it are read.",
            },
            "maxSize": part("size", "The largest answer that is read, 5 MB by default, at most 20MB."),
            "timeout": part("duration", "How long one attempt may take: 10s by default, at most 5m."),
        },
        "examples": [{"method": "GET", "url": "https://registry.example/companies/${parameters.taxId}"}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> HttpConfig:
        method = value.get("method", "GET")
        _check_headers(value.get("headers", {}), (*path, "headers"), compiling)
        form = _body_form(value, method, path, compiling)
        if (host := _HOST.match(value["url"])) and is_local(host[1]):
            compiling.warning((*path, "url"), local_warning(host[1]))
        return HttpConfig(
            method=method,
            url=compiling.template(value["url"], (*path, "url"), insert=_insert),
            headers=compiling.template(value.get("headers", {}), (*path, "headers")),
            query=compiling.template(value.get("query", {}), (*path, "query")),
            body_form=form,
            body=compiling.template(value[form] if form else None, (*path, form or "body")),
            answer=value.get("answer", "auto"),
            reading=OutputReading(compiling.reads()),
            expect=tuple(map(str, value.get("expect", ["2xx"]))),
            max_bytes=_max_bytes(value, path, compiling),
            timeout=_timeout(value, path, compiling),
        )

    def output_shape(self, config: HttpConfig) -> JsonObject:
        return members({"status": {"type": "integer"}, "headers": {}, "body": {}})

    def describe(self, config: HttpConfig, scope: Scope) -> Json:
        try:
            request = filled_in(config, scope)
        except ExpressionError:
            # An expression may not take the mask for a secret; with the secret itself it may.
            if not config.secrets(scope) and not config.reads_credentials:
                raise
            return {"method": config.method, "url": MASK}
        headers = {name: MASK if name.lower() in _SECRET_HEADERS else value for name, value in request.headers.items()}
        url = request.url.replace(quote(MASK), MASK)
        shown: JsonObject = {"method": request.method, "url": url, "headers": headers}
        return shown if config.body_form is None else {**shown, config.body_form: request.body}

    async def call(self, config: HttpConfig, scope: Scope, tools: Tools, idempotency_key: str) -> KnownJson:
        redaction = Redaction([*config.secrets(scope), *(part for one in tools.credentials for part in parts_of(one))])
        try:
            request = filled_in(config, scope)
            answer = await send(config, request, tools, idempotency_key)
            output = output_of(config, request, answer, tools.now, redaction)
            for name in config.reading.credentials & answer.headers.keys():
                tools.keep(name, answer.headers[name])
            return redaction.json(output)
        except StepFailure as failure:
            raise StepFailure(
                failure.code,
                redaction.text(failure.message),
                reason=failure.reason,
                after=failure.after,
                details=redaction.json(failure.details),
            ) from None


def _insert(before: str, value: Json) -> str:
    # In the timeline the mask stands for a value that is a URL, a host, or part of a path.
    return MASK if value == MASK else insert_into_url(before, value)


def _check_headers(headers: JsonObject, path: Path, compiling: StepContext) -> None:
    seen: set[str] = set()
    for name in headers:
        if name.lower() in _OURS:
            compiling.problem((*path, name), f"`{name}` is set by Passerelle itself; leave it out")
        if name.lower() in seen:
            compiling.problem((*path, name), f"`{name}` stands here twice, in other letters; leave one out")
        seen.add(name.lower())


def _body_form(value: JsonObject, method: str, path: Path, compiling: StepContext) -> BodyForm | None:
    forms = [form for form in BODY_FORMS if form in value]
    for form in forms[1:]:
        compiling.problem((*path, form), f"the body is given by `{forms[0]}` already; leave one of them out")
    if forms and method in ("GET", "HEAD"):
        compiling.problem((*path, forms[0]), f"{method} sends no body; use `query`, or another `method`")
    return forms[0] if forms else None


def _max_bytes(value: JsonObject, path: Path, compiling: StepContext) -> int:
    if "maxSize" not in value:
        return DEFAULT_MAX_BYTES
    size = compiling.size(value["maxSize"], (*path, "maxSize"))
    if not 0 < size <= LARGEST:
        compiling.problem((*path, "maxSize"), f"must be from 1B to 20MB, is `{value['maxSize']}`")
    return size


def _timeout(value: JsonObject, path: Path, compiling: StepContext) -> timedelta | None:
    if "timeout" not in value:
        return None
    length = compiling.duration(value["timeout"], (*path, "timeout"))
    if not timedelta(0) < length <= LONGEST_TIMEOUT:
        compiling.problem((*path, "timeout"), f"must be longer than 0s and at most 5m, is `{value['timeout']}`")
    return length
