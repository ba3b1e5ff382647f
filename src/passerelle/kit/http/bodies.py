"""Bodies as endpoints declare them, and how they are read.

`body: JsonBody[RunBody]` in a signature is all: the route reads within the limit, the model validates the bytes
themselves (so that strict types know that a UUID is a text in JSON), and all that is wrong is said at once, with a
pointer and what to do.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Annotated, Any, ClassVar, Final, TypeVar, cast, get_type_hints

import orjson
from fastapi import Body as BodyParameter
from fastapi import Depends, Request
from fastapi.params import Depends as Dependency
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema, from_json
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.http.described import Described
from passerelle.kit.http.fields import Explanations, explain, model_in
from passerelle.kit.json import Json, KnownJson

BODY_TOO_LARGE: Final = Code("BODY_TOO_LARGE", 413, "The body is larger than the address takes.")
UNSUPPORTED_MEDIA_TYPE: Final = Code(
    "UNSUPPORTED_MEDIA_TYPE",
    415,
    "`Content-Type` or `Content-Encoding` names something that the address does not take.",
)
BODY_NOT_JSON: Final = Code("BODY_NOT_JSON", 400, "The body is not JSON; the message names line and column.")
BODY_NOT_TEXT: Final = Code("BODY_NOT_TEXT", 400, "The body is not text in UTF-8.")
BODY_NOT_COMPRESSED: Final = Code(
    "BODY_NOT_COMPRESSED", 400, "The body is not what `Content-Encoding: gzip` says, or it is cut off."
)
BODY_NOT_OBJECT: Final = Code("BODY_NOT_OBJECT", 400, "The body is JSON, but not an object.")
BODY_TOO_DEEP: Final = Code("BODY_TOO_DEEP", 400, "The body is nested deeper than 200 levels.")

BODY_LIMIT: Final = 1_000_000
"""Bytes that a body may have where an endpoint says nothing else."""

_JSON: Final = re.compile(r"\s*(application/([\w.+-]+\+)?json|text/json)\s*(;.*)?", re.IGNORECASE)
_INTEGERS: Final = range(-(2**63), 2**63)
_BEYOND: Final = 2**63
_TOO_DEEP: Final = ("recursion limit", "depth limit")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_TEXT_OR_NAME: Final = re.compile(rb'"(?:[^"\\]|\\.)*"(\s*:)?', re.DOTALL)


class Body(Described):
    """Base of what endpoints read: snake_case here, camelCase outside, strict types, no unknown fields.

    `when_missing` and `when_unknown` give a field an error of its own.
    """

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="forbid", frozen=True)

    when_missing: ClassVar[Explanations] = {}
    when_unknown: ClassVar[Explanations] = {}


class RawJson(bytes):
    """The bytes of a JSON body, on their way to what the endpoint declares."""

    @cached_property
    def value(self) -> KnownJson:
        """What the bytes say. Raises BODY_NOT_TEXT, BODY_NOT_JSON or BODY_TOO_DEEP."""
        return _parse(self)


class _FromJson:
    """Makes a type take `RawJson`; in the document it is what it was."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler(source)
        if isinstance(source, type) and issubclass(source, BaseModel):
            validate: Callable[[bytes], Any] = source.model_validate_json
        else:
            validate = TypeAdapter(source).validate_json
        of_object = source is not Any
        known_elsewhere = frozenset(getattr(model_in(source), "when_unknown", ()))
        return core_schema.no_info_wrap_validator_function(
            partial(_validated, validate, of_object, known_elsewhere), inner
        )


B = TypeVar("B")
M = TypeVar("M", bound=Body)

_FROM_JSON: Final = _FromJson()
JsonBody = Annotated[B, BodyParameter(), _FROM_JSON]
"""A body that is a JSON object: a `Body`, or `dict[str, Any]` where any will do. With a default it may be absent."""
AnyJsonBody = Annotated[Any, BodyParameter(), _FROM_JSON]
"""A body that is JSON of whatever shape."""


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """What a route has to know of a JSON body before it is read."""

    model: Any
    optional: bool


@dataclass(frozen=True)
class _TextBody:
    """The dependency behind `TextBody`."""

    media_types: tuple[str, ...]
    limit: int
    description: str

    async def __call__(self, request: Request) -> str:
        """The body. Raises BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or BODY_NOT_TEXT."""
        return await read_text(request, self.media_types, limit=self.limit)

    def document(self) -> dict[str, Any]:
        """What the OpenAPI document says of it."""
        schema = {"type": "string", "description": self.description}
        return {"required": True, "content": {name: {"schema": schema} for name in self.media_types}}


def TextBody(*media_types: str, description: str, limit: int = BODY_LIMIT) -> Any:  # noqa: N802 - as `Body` and `Query`
    """For `Annotated[str, …]`: a body that is text, sent as one of `media_types` or as nothing."""
    return Depends(_TextBody(media_types, limit, description))


def body_facts(endpoint: Callable[..., Any]) -> BodyFacts | None:
    """What an endpoint's signature says of its JSON body; None where it has none."""
    for parameter, base, metadata in _annotated(endpoint):
        if any(one is _FROM_JSON for one in metadata):
            return BodyFacts(base, parameter.default is not inspect.Parameter.empty)
    return None


def text_body(endpoint: Callable[..., Any]) -> dict[str, Any] | None:
    """What the document says of an endpoint's `TextBody`; None where it has none."""
    for _, _, metadata in _annotated(endpoint):
        for one in metadata:
            if isinstance(one, Dependency) and isinstance(one.dependency, _TextBody):
                return one.dependency.document()
    return None


def _annotated(endpoint: Callable[..., Any]) -> Iterator[tuple[inspect.Parameter, Any, tuple[Any, ...]]]:
    hints = get_type_hints(endpoint, include_extras=True)
    for name, parameter in inspect.signature(endpoint).parameters.items():
        hint = hints.get(name)
        if hasattr(hint, "__metadata__"):
            yield parameter, cast("Any", hint).__origin__, cast("Any", hint).__metadata__


async def read_raw_json(request: Request, *, optional: bool = False, limit: int = BODY_LIMIT) -> RawJson:
    """The body's bytes, which are said to be JSON; empty only where it is `optional`.

    Raises BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or BODY_NOT_JSON.
    """
    content_type = content_type_of(request.scope)
    if content_type is not None and not _is_json(content_type):
        raise _unsupported(content_type, "application/json")
    raw = (await receive_body(request.scope, request.receive, limit=limit)).removeprefix(_UTF8_MARK)
    if not optional and not raw.strip():
        raise BODY_NOT_JSON.error("the body is empty: send JSON")
    return RawJson(raw)


async def read_text(request: Request, media_types: Sequence[str], *, limit: int = BODY_LIMIT) -> str:
    """The request's text, sent as one of `media_types` (the first is what a refusal proposes) or as nothing.

    Raises BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE or BODY_NOT_TEXT.
    """
    content_type = content_type_of(request.scope)
    if content_type is not None and content_type.partition(";")[0].strip().lower() not in media_types:
        raise _unsupported(content_type, media_types[0])
    raw = await receive_body(request.scope, request.receive, limit=limit)
    _refuse_other_text(raw, BODY_NOT_TEXT)
    if b"\0" in raw:
        raise BODY_NOT_TEXT.error("the body contains the character NUL: send text")
    return raw.decode()


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


def validate(raw: bytes, model: type[M]) -> M:
    """A JSON text as `model`. Raises one error with all of FIELD_REQUIRED, FIELD_TYPE, FIELD_UNKNOWN and
    FIELD_INVALID that apply, or BODY_NOT_TEXT, BODY_NOT_JSON, BODY_TOO_DEEP, BODY_NOT_OBJECT.
    """
    body = RawJson(raw.removeprefix(_UTF8_MARK))
    try:
        found: M = _validated(model.model_validate_json, True, frozenset(model.when_unknown), body, None)
    except ValidationError as error:
        raise PasserelleError(400, explain(error.errors(include_url=False), body.value, model)) from None
    return found


def content_type_of(scope: Scope) -> str | None:
    """The request's `Content-Type` as it was sent."""
    found = next((value for name, value in scope["headers"] if name == b"content-type"), None)
    return None if found is None else found.decode("latin-1")


def _validated(
    validate: Callable[[bytes], Any], of_object: bool, known_elsewhere: frozenset[str], raw: Any, handler: Any
) -> Any:
    if not isinstance(raw, RawJson):
        return handler(raw)
    if of_object and not isinstance(raw.value, dict):
        raise BODY_NOT_OBJECT.error("the body must be a JSON object: send `{…}`")
    if any(raw.value.get(name, raw) is None for name in known_elsewhere):
        raw = _without_nulls(raw, known_elsewhere)
    try:
        validated = validate(raw)
    except ValidationError:
        # What is too deep for Pydantic is told as that.
        _parse_shallow(raw)
        raise
    _refuse_unstorable(raw)
    return validated


def _without_nulls(raw: RawJson, names: frozenset[str]) -> RawJson:
    """A body without the nulls that stand for fields of another version: old clients send them beside their own."""
    _refuse_unstorable(raw)
    return RawJson(
        orjson.dumps({name: value for name, value in raw.value.items() if value is not None or name not in names})
    )


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
        value: Json = orjson.loads(memoryview(raw))  # which takes no subclass of `bytes`
    except orjson.JSONDecodeError as error:
        if any(hint in error.msg for hint in _TOO_DEEP):
            raise _too_deep() from None
        _refuse_other_text(raw, BODY_NOT_JSON)
        too_large = "infinity" in error.msg
        problem = "a number is too large: send it as a string" if too_large else f"not JSON: {error.msg}"
        raise BODY_NOT_JSON.error(f"line {error.lineno}, column {error.colno}: {problem}") from None
    return value


def _refuse_other_text(raw: bytes, code: Code) -> None:
    """Raises `code`, and names the encoding that the bytes look like, unless they are UTF-8."""
    if raw.startswith(_UTF16_MARKS) or (raw[:2].count(0) == 1):
        raise code.error("the body is UTF-16: send it in UTF-8")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise code.error(
            f"byte {error.start} of the body is not UTF-8 (it may be Latin-1, or no text at all): send it in UTF-8"
        ) from None


def _parse_shallow(raw: bytes) -> KnownJson:
    # Integers of any size as they are, and at most 200 levels; `raw` is known to be JSON.
    try:
        return from_json(raw)
    except ValueError:
        raise _too_deep() from None


def _refuse_unstorable(raw: RawJson) -> None:
    """Refuse what the database or another reader would not keep as it is: NUL, integers beyond 64 bits, a name twice.

    Raises `ValidationError`.
    """
    names, large = _names_and_large_numbers(raw.value)
    repeats = _repeats_names(raw, names)
    if raw.find(b"\\u0000") < 0 and not repeats and not large:
        return
    problems = [
        InitErrorDetails(type=PydanticCustomError("unstorable", "{text}", {"text": text}), loc=path, input=item)
        for path, item in _walk(_parse_shallow(raw))
        if (text := _unstorable(item)) is not None
    ]
    for name in _repeated_names(raw) if repeats else ():
        text = f"`{name[:80]}` stands twice in one object: send it once"
        problems.append(
            InitErrorDetails(type=PydanticCustomError("repeated", "{text}", {"text": text}), loc=(), input=name)
        )
    if problems:
        raise ValidationError.from_exception_data("body", problems)


def _repeats_names(raw: RawJson, names: int) -> bool:
    """Whether an object of the body, of which `names` names were read, has a name twice."""
    # Each name is followed by a colon: where there are no more colons than names, none was lost.
    if raw.count(b":") == names:
        return False
    return names != sum(1 for found in _TEXT_OR_NAME.finditer(raw) if found[1] is not None)


def _names_and_large_numbers(value: Json) -> tuple[int, bool]:
    """How many names its objects have, and whether a number may be an integer beyond 64 bits.

    The parser reads one beyond its own as a fraction, so that a large fraction is only suspected.
    """
    count, large, waiting = 0, False, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            count += len(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, int | float) and not -_BEYOND < item < _BEYOND:
            large = True
    return count, large


def _repeated_names(raw: bytes) -> list[str]:
    found: list[str] = []

    def noted(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        made = dict(pairs)
        if len(made) != len(pairs):
            names = [name for name, _ in pairs]
            found.extend(sorted({name for name in names if names.count(name) > 1}))
        return made

    json.loads(raw, object_pairs_hook=noted)
    return found


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
