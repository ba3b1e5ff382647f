"""The OpenAPI document: what the framework finds out, once for each version of an address, put into one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from passerelle.kit.http.api_route import ApiRoute, shown_path
from passerelle.kit.http.errors import Errors
from passerelle.kit.http.permissions import Permitted
from passerelle.kit.http.versions import DEPRECATED

_REF: Final = "#/components/schemas/"
_JSON: Final = "application/json"
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9]")
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})

Document = dict[str, Any]
Take = Callable[[RouteContext], bool]


def describe(app: FastAPI, version: int | None = None) -> Document:
    """The document of `app`.

    version     the one whose bodies and answers are shown, as plain `application/json`: for generators of clients
                whose key is pinned to it. None: all, told apart by their media types
    """
    contexts = list(iter_route_contexts(app.routes))
    newest = _newest(contexts)
    if version is not None:
        document = _document(app, contexts, lambda one: _number(one) in (None, version))
    else:
        document = _document(app, contexts, lambda one: _number(one) in (None, newest.get(_key(one))))
        earlier = _document(app, contexts, lambda one: _number(one) not in (None, newest.get(_key(one))))
        _name_versions(document, contexts)
        _add_version(document, earlier)
    document["components"]["schemas"] = dict(sorted(document["components"]["schemas"].items()))
    # What the application sends by itself, where it says so.
    if hasattr(app.state, "webhooks"):
        document["webhooks"] = app.state.webhooks
    return document


def _document(app: FastAPI, contexts: Sequence[RouteContext], take: Take) -> Document:
    document: Document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=[one for one in contexts if take(one)],
        tags=app.openapi_tags,
        license_info=app.license_info,
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    _, definitions = models_json_schema([(Errors, "serialization")], ref_template=_REF + "{model}")
    schemas.update(definitions["$defs"])
    components.setdefault(
        "securitySchemes", {"bearer": Permitted.model.model_dump(mode="json", by_alias=True, exclude_none=True)}
    )
    document["security"] = [{"bearer": []}]
    document["paths"] = {shown_path(path): item for path, item in document["paths"].items()}
    for _, _, operation in _operations(document):
        _complete(operation)
    return _named_as_titled(document)


def _named_as_titled(document: Document) -> Document:
    """The document with generic models named as generators like it: `WorkflowPage`, not `Page_WorkflowAnswer_`."""
    names = {
        name: _NO_NAME.sub("", schema["title"])
        for name, schema in document["components"]["schemas"].items()
        if _NO_NAME.search(name)
    }
    text = orjson.dumps(document)
    for name, title in names.items():
        text = text.replace(f'"{_REF}{name}"'.encode(), f'"{_REF}{title}"'.encode())
    named: Document = orjson.loads(text)
    schemas = named["components"]["schemas"]
    named["components"]["schemas"] = {names.get(name, name): schema for name, schema in schemas.items()}
    return named


def _complete(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["name"] = to_camel(parameter["name"])
    operation.setdefault("security", [])
    answers = operation["responses"]
    answers.pop("422", None)
    for status, one in answers.items():
        if one["description"] == "Successful Response":
            one["description"] = HTTPStatus(int(status)).phrase
    answers["default"] = {
        "description": "Something is wrong: every problem with its code and what to do.",
        "content": {_JSON: {"schema": {"$ref": f"{_REF}Errors"}}},
    }


def _name_versions(document: Document, contexts: Sequence[RouteContext]) -> None:
    """Give the answers of versioned addresses the media type that names their version."""
    newest = _newest(contexts)
    for path, method, operation in _operations(document):
        number = newest.get((path, method))
        if number is not None:
            for answer in _successes(operation):
                answer["content"] = {_versioned(number): answer["content"].pop(_JSON)}


def _add_version(document: Document, earlier: Document) -> None:
    """Add to each address what version 1 of it reads and answers."""
    for path, method, operation in _operations(earlier):
        kept = document["paths"][path][method]
        for answer, other in zip(_successes(kept), _successes(operation), strict=True):
            answer["content"][_versioned(DEPRECATED)] = other["content"][_JSON]
        if "requestBody" in operation:
            content, other = (one["requestBody"]["content"][_JSON] for one in (kept, operation))
            content["schema"] = {"anyOf": [content["schema"], other["schema"]]}
    document["components"]["schemas"] |= earlier["components"]["schemas"]


def _successes(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, answer in operation["responses"].items():
        if (status.startswith("2") and _JSON in answer.get("content", {})) or _is_versioned(answer):
            yield answer


def _is_versioned(answer: dict[str, Any]) -> bool:
    return any(name.startswith(f"{_JSON};version=") for name in answer.get("content", {}))


def _versioned(number: int) -> str:
    return f"{_JSON};version={number}"


def _operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in sorted(_METHODS & item.keys()):
            yield path, method, item[method]


def _newest(contexts: Sequence[RouteContext]) -> dict[tuple[str, str], int]:
    """The newest version of every address that has some."""
    found: dict[tuple[str, str], int] = {}
    for one in contexts:
        number = _number(one)
        if number is not None:
            found[_key(one)] = max(number, found.get(_key(one), 0))
    return found


def _number(context: RouteContext) -> int | None:
    route = context.original_route
    return route.version.number if isinstance(route, ApiRoute) and route.version is not None else None


def _key(context: RouteContext) -> tuple[str, str]:
    return shown_path(context.path or ""), next(iter(context.methods or {""})).lower()
