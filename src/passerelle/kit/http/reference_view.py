"""What the reference page shows, taken from an OpenAPI 3.1 document."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from passerelle.kit.http.schema_view import FieldRow, Schemas

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Content:
    """A body, or an answer's content, in one media type."""

    media_type: str
    type: str
    rows: tuple[FieldRow, ...]
    example: str | None
    """Text; None where there is none, as of files."""


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What may be answered under one status."""

    status: str
    description: str
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A part of the path, of the query, or a header."""

    name: str
    place: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class OperationView:
    """One call."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    public: bool
    deprecated: bool
    parameters: tuple[ParameterRow, ...]
    bodies: tuple[Content, ...]
    answers: tuple[AnswerView, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Group:
    """Calls that belong together."""

    anchor: str
    name: str
    description: str
    operations: tuple[OperationView, ...]


def groups_of(document: Mapping[str, Any], base_url: str) -> list[Group]:
    """The calls of `document` by their first tag, in the document's order. `base_url` is for the examples."""
    described = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    by_tag: dict[str, list[OperationView]] = {name: [] for name in described}
    for path, method, operation, shared in _operations(document):
        view = _operation(document, path, method, operation, shared, base_url)
        by_tag.setdefault(next(iter(operation.get("tags", ())), "Other"), []).append(view)
    return [
        Group(_slug(name), name, described.get(name, ""), tuple(operations))
        for name, operations in by_tag.items()
        if operations
    ]


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Sequence[Any]]]:
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method], item.get("parameters", ())


def _operation(
    document: Mapping[str, Any],
    path: str,
    method: str,
    operation: Mapping[str, Any],
    shared: Sequence[Any],
    base_url: str,
) -> OperationView:
    schemas = Schemas(document)
    parameters = [schemas.resolve(one) for one in (*shared, *operation.get("parameters", ()))]
    bodies = _contents(schemas, schemas.resolve(operation.get("requestBody", {})))
    public = not operation.get("security", document.get("security", ()))
    return OperationView(
        anchor=_slug(operation.get("operationId") or f"{method} {path}"),
        method=method.upper(),
        path=path,
        summary=operation.get("summary") or f"{method.upper()} {path}",
        description=operation.get("description", ""),
        public=public,
        deprecated=bool(operation.get("deprecated", False)),
        parameters=tuple(_parameter(schemas, one) for one in parameters),
        bodies=bodies,
        answers=tuple(
            AnswerView(status, answer.get("description", ""), _contents(schemas, answer))
            for status, answer in _answers(schemas, operation)
        ),
        curl=_curl(method, base_url + path, bodies, public=public),
    )


def _answers(schemas: Schemas, operation: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for status, answer in operation.get("responses", {}).items():
        yield ("any other" if status == "default" else status), schemas.resolve(answer)


def _parameter(schemas: Schemas, parameter: Mapping[str, Any]) -> ParameterRow:
    schema = parameter.get("schema", {})
    shape = schemas.resolve(schema)
    description = str(parameter.get("description") or shape.get("description", ""))
    if shape.get("default") is not None:
        description = f"{description} Default: `{shape['default']}`.".strip()
    return ParameterRow(
        parameter["name"],
        parameter["in"],
        schemas.type_of(schema),
        bool(parameter.get("required", False)),
        description,
    )


def _contents(schemas: Schemas, holder: Mapping[str, Any]) -> tuple[Content, ...]:
    return tuple(_content(schemas, media_type, content) for media_type, content in holder.get("content", {}).items())


def _content(schemas: Schemas, media_type: str, content: Mapping[str, Any]) -> Content:
    schema = content.get("schema", {})
    example = None
    given = content.get("example", next((e.get("value") for e in content.get("examples", {}).values()), None))
    if isinstance(given, str) and not media_type.startswith(_JSON):
        example = given
    elif media_type.startswith(_JSON):
        value = schemas.example(schema) if given is None else given
        example = json.dumps(value, indent=2, ensure_ascii=False)
    return Content(media_type, schemas.type_of(schema), tuple(schemas.rows(schema)), example)


def _curl(method: str, url: str, bodies: Sequence[Content], *, public: bool) -> str:
    words = ["curl"]
    if method != "get":
        words.append(f"-X {method.upper()}")
    words.append(shlex.quote(url))
    lines = [" ".join(words)]
    if not public:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if bodies:
        lines.append(f"-H 'Content-Type: {bodies[0].media_type}'")
        data = shlex.quote(bodies[0].example) if bodies[0].example else "@FILE"
        lines.append(f"{'-d' if bodies[0].media_type == _JSON else '--data-binary'} {data}")
    return " \\\n  ".join(lines)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-")
