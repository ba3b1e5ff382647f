"""The OpenAPI document: what the framework finds out, and what it cannot know of this package's tools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from passerelle.kit.http.answers import Answer
from passerelle.kit.http.authentication import PublicPaths
from passerelle.kit.http.bodies import Body

_REF: Final = "#/components/schemas/"
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of yours, such as a UUID. The same request with the same key, within 24 hours, has "
    "one effect and gets the same answer.",
    "schema": {"type": "string", "maxLength": 255},
}
_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "An access token of `POST /auth/authorize`, or an organization token.",
}


class ErrorEntry(Answer):
    """One thing that is wrong."""

    code: str = Field(description="Stable; see the list of error codes.", examples=["FIELD_REQUIRED"])
    message: str = Field(description="What is wrong and what to do.", examples=["`workflowDefinitionId` is required"])
    pointer: str | None = Field(
        default=None,
        description="A JSON pointer into the body, where it applies.",
        examples=["/workflowDefinitionId"],
    )


class Errors(Answer):
    """Everything that is wrong with a request. `fingerprint` names this occurrence in the server's log."""

    fingerprint: str = Field(examples=["0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"])
    errors: list[ErrorEntry]


def describe(app: FastAPI, public: PublicPaths) -> dict[str, Any]:
    """The document of `app`: bodies, errors, credentials and idempotency keys included."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["paths"] = {_camel_path(path): item for path, item in document["paths"].items()}
    for path, method, operation in _operations(document):
        _complete(operation, method, public=path in public)
    schemas.update(_schemas_of({Errors, *_bodies_in(document)}))
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["securitySchemes"] = {"bearer": _BEARER}
    document["security"] = [{"bearer": []}]
    # What the application sends by itself, where it says so.
    if hasattr(app.state, "webhooks"):
        document["webhooks"] = app.state.webhooks
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS & item.keys():
            yield path, method, item[method]


def _complete(operation: dict[str, Any], method: str, *, public: bool) -> None:
    words = operation["summary"].lower().split()
    operation["summary"] = " ".join(words).capitalize()
    operation["operationId"] = to_camel("_".join(words))
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["name"] = to_camel(parameter["name"])
    if public:
        operation["security"] = []
    elif method in ("post", "patch"):
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    answers = operation["responses"]
    answers.pop("422", None)
    for status, one in answers.items():
        if one["description"] == "Successful Response":
            one["description"] = HTTPStatus(int(status)).phrase
    answers["default"] = {
        "description": "Something is wrong: every problem with its code and what to do.",
        "content": {"application/json": {"schema": {"$ref": f"{_REF}Errors"}}},
    }


def _camel_path(path: str) -> str:
    return re.sub(r"\{(\w+)", lambda match: "{" + to_camel(match[1]), path)


def _bodies_in(document: dict[str, Any]) -> Iterator[type[Body]]:
    wanted = {name for _, _, operation in _operations(document) for name in _named_by(operation)}
    known = _subclasses(Body)
    for name in sorted(wanted - document["components"]["schemas"].keys()):
        yield known[name]


def _named_by(operation: dict[str, Any]) -> Iterator[str]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content.get("schema", {})
        for one in (schema, *schema.get("anyOf", [])):
            if str(one.get("$ref", "")).startswith(_REF):
                yield one["$ref"].removeprefix(_REF)


def _subclasses(base: type[Body]) -> dict[str, type[Body]]:
    found: dict[str, type[Body]] = {}
    for one in base.__subclasses__():
        found |= {one.__name__: one, **_subclasses(one)}
    return found


def _schemas_of(models: set[type[Any]]) -> dict[str, Any]:
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "serialization" if model is Errors else "validation") for model in ordered],
        ref_template=_REF + "{model}",
    )
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas
