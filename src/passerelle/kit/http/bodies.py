"""Reading JSON bodies: everything that is wrong with one is said at once, with a pointer and what to do.

An endpoint reads its body first: `body = await read(request, RunBody)`. The framework's own reading is not
used: it knows no limit, answers 422, and costs more than the rest of a small request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Final, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from passerelle.errors import Code, PasserelleError
from passerelle.kit.http.fields import FIELD_INVALID, Explanations, explain, pointer
from passerelle.kit.json import Json

BODY_TOO_LARGE: Final = Code("BODY_TOO_LARGE", 413, "The body is larger than the address takes.")
UNSUPPORTED_MEDIA_TYPE: Final = Code(
    "UNSUPPORTED_MEDIA_TYPE", 415, "`Content-Type` names something that the address does not take."
)
BODY_NOT_JSON: Final = Code("BODY_NOT_JSON", 400, "The body is not JSON; the message names line and column.")
BODY_NOT_TEXT: Final = Code("BODY_NOT_TEXT", 400, "The body is not text in UTF-8.")
BODY_NOT_OBJECT: Final = Code("BODY_NOT_OBJECT", 400, "The body is JSON, but not an object.")
BODY_TOO_DEEP: Final = Code("BODY_TOO_DEEP", 400, "The body is nested deeper than 200 levels.")

BODY_LIMIT: Final = 1_000_000
"""Bytes that a body may have where an endpoint says nothing else."""

_JSON: Final = re.compile(r"\s*(application/([\w.+-]+\+)?json|text/json)\s*(;.*)?", re.IGNORECASE)
# Digits that no letter, quote or digit stands before: an integer, or rarely a text that is looked at in vain.
# The look behind comes last, so that the search skips to the first digit.
_LONG_INTEGER: Final = re.compile(rb'[0-9]{19}(?<![0-9A-Za-z"][0-9]{19})')
_INTEGERS: Final = range(-(2**63), 2**63)
_TOO_DEEP: Final = ("recursion limit", "depth limit")


class Body(BaseModel):
    """Base of what endpoints read: snake_case here, camelCase outside, strict types, no unknown fields.

    `when_missing` and `when_unknown` give a field an error of its own.
    """

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="forbid", frozen=True)

    when_missing: ClassVar[Explanations] = {}
    when_unknown: ClassVar[Explanations] = {}


B = TypeVar("B", bound=Body)


def takes(*models: Any, required: bool = True) -> dict[str, Any]:
    """What a route's `openapi_extra` needs, so that the document shows the body: one of `models`.

    `Any` stands for any JSON. `passerelle.kit.http.openapi.describe` adds the schemas themselves.
    """
    schemas = [{} if model is Any else {"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


async def read(request: Request, model: type[B], *, limit: int = BODY_LIMIT, optional: bool = False) -> B:
    """The request's JSON object as `model`; where it is `optional`, no body at all counts as `{}`.

    Raises BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, BODY_NOT_JSON, BODY_TOO_DEEP, BODY_NOT_OBJECT, or one
    error with all of FIELD_REQUIRED, FIELD_TYPE, FIELD_UNKNOWN and FIELD_INVALID that apply.
    """
    raw = await read_raw_json(request, limit=limit)
    return validate(b"{}" if optional and not raw else raw, model)


async def read_json(request: Request, *, limit: int = BODY_LIMIT, optional: bool = False) -> Json:
    """The request's JSON, of whatever shape; where it is `optional`, no body at all counts as null.

    Raises as `read`, except about shape and fields.
    """
    raw = await read_raw_json(request, limit=limit)
    if optional and not raw:
        return None
    _parse(raw)
    value = _parse_shallow(raw)
    _refuse_unstorable(raw)
    return value


async def read_text(request: Request, media_types: Sequence[str], *, limit: int = BODY_LIMIT) -> str:
    """The request's text, sent as one of `media_types` (the first is what a refusal proposes) or as nothing.

    Raises BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or BODY_NOT_TEXT.
    """
    content_type = content_type_of(request.scope)
    if content_type is not None and content_type.partition(";")[0].strip().lower() not in media_types:
        raise _unsupported(content_type, media_types[0])
    raw = await receive_body(request.scope, request.receive, limit=limit)
    if b"\0" in raw:
        raise BODY_NOT_TEXT.error("the body contains the character NUL: send text")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BODY_NOT_TEXT.error(f"byte {error.start} of the body is not UTF-8: send text in UTF-8") from None


async def read_raw_json(request: Request, *, limit: int = BODY_LIMIT) -> bytes:
    """The body's bytes, which are said to be JSON. Raises BODY_TOO_LARGE or UNSUPPORTED_MEDIA_TYPE."""
    content_type = content_type_of(request.scope)
    if content_type is not None and not _is_json(content_type):
        raise _unsupported(content_type, "application/json")
    return await receive_body(request.scope, request.receive, limit=limit)


async def receive_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """All bytes of a body. Stops and raises BODY_TOO_LARGE as soon as they must exceed `limit`."""
    if _announced_length(scope) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
        size += len(chunks[-1])
        if size > limit:
            raise _too_large(limit)
    return b"".join(chunks)


def validate(raw: bytes, model: type[B]) -> B:
    """A JSON text as `model`; raises as `read` does."""
    value = _parse(raw)
    if not isinstance(value, dict):
        raise BODY_NOT_OBJECT.error("the body must be a JSON object: send `{…}`")
    try:
        validated = model.model_validate_json(raw)
    except ValidationError as error:
        _parse_shallow(raw)
        problems = explain(error, value, model, model.when_missing, model.when_unknown)
        raise PasserelleError(400, problems) from None
    _refuse_unstorable(raw)
    return validated


def content_type_of(scope: Scope) -> str | None:
    """The request's `Content-Type` as it was sent."""
    found = next((value for name, value in scope["headers"] if name == b"content-type"), None)
    return None if found is None else found.decode("latin-1")


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    return _JSON.fullmatch(content_type) is not None


def _unsupported(content_type: str, wanted: str) -> PasserelleError:
    return UNSUPPORTED_MEDIA_TYPE.error(f"this address does not take `{content_type}`: send `Content-Type: {wanted}`")


def _announced_length(scope: Scope) -> int:
    found = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(found) if found.isdigit() else 0


def _too_large(limit: int) -> PasserelleError:
    return BODY_TOO_LARGE.error(f"the body is larger than {limit:,} bytes, the most that this address takes")


def _too_deep() -> PasserelleError:
    return BODY_TOO_DEEP.error("the body is nested deeper than 200 levels: send a flatter one")


def _parse(raw: bytes) -> Json:
    if not raw.strip():
        raise BODY_NOT_JSON.error("the body is empty: send JSON")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if any(hint in error.msg for hint in _TOO_DEEP):
            raise _too_deep() from None
        too_large = "infinity" in error.msg
        problem = "a number is too large: send it as a string" if too_large else f"not JSON: {error.msg}"
        raise BODY_NOT_JSON.error(f"line {error.lineno}, column {error.colno}: {problem}") from None


def _parse_shallow(raw: bytes) -> Json:
    # Integers of any size as they are, and at most 200 levels; `raw` is known to be JSON.
    try:
        return from_json(raw)
    except ValueError:
        raise _too_deep() from None


def _refuse_unstorable(raw: bytes) -> None:
    """Refuse what the database or another reader would not keep as it is: NUL, integers beyond 64 bits."""
    if b"\\u0000" not in raw and _LONG_INTEGER.search(raw) is None:
        return
    problems = [
        FIELD_INVALID.problem(message, pointer(path))
        for path, item in _walk(_parse_shallow(raw))
        if (message := _unstorable(item)) is not None
    ]
    if problems:
        raise PasserelleError(400, problems)


def _unstorable(item: Json) -> str | None:
    if isinstance(item, str) and "\0" in item:
        return "a text must not contain the character NUL (\\u0000): leave it out"
    if isinstance(item, int) and item not in _INTEGERS:
        return "an integer must fit into 64 bits: send it as a string"
    return None


def _walk(value: Json) -> Iterator[tuple[tuple[Any, ...], Json]]:
    """Every value and every key of an object, with its path."""
    waiting: list[tuple[tuple[Any, ...], Json]] = [((), value)]
    while waiting:
        path, item = waiting.pop()
        yield path, item
        if isinstance(item, dict):
            for key, child in item.items():
                if "\0" in key:
                    yield (*path, key), key
                waiting.append(((*path, key), child))
        elif isinstance(item, list):
            waiting.extend(((*path, index), child) for index, child in enumerate(item))
