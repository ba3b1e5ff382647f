"""The OpenAPI document feeds generators of clients: names that are code, a sentence for everything, true examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from passerelle.app.reference import openapi_document

Document = dict[str, Any]


@pytest.fixture(scope="module", params=[None, 1, 2], ids=["all", "1", "2"])
def document(request: pytest.FixtureRequest) -> Document:
    return openapi_document(request.param)


def operations(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def described(schema: dict[str, Any]) -> bool:
    return bool(schema.get("description")) or any(described(one) for one in schema.get("anyOf", []))


def test_names_are_names_in_any_language(document: Document) -> None:
    names = list(document["components"]["schemas"])
    ids = [operation["operationId"] for _, operation in operations(document)]

    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []
    assert [one for one in ids if not re.fullmatch(r"[a-z][A-Za-z0-9]{2,39}", one)] == []
    assert len(set(ids)) == len(ids)


def test_every_field_and_parameter_has_a_description(document: Document) -> None:
    fields = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, one in schema.get("properties", {}).items()
        if not described(one)
    ]
    parameters = [
        f"{name}: {one['name']}"
        for name, operation in operations(document)
        for one in operation.get("parameters", [])
        if not described(one)
    ]

    assert fields == []
    assert parameters == []


def test_every_answer_that_is_json_has_a_schema_of_its_own(document: Document) -> None:
    """An object of anything says nothing to who generates a client."""
    untyped = [
        name
        for name, operation in operations(document)
        for status, answer in operation["responses"].items()
        for media_type, content in answer.get("content", {}).items()
        if media_type.startswith("application/json")
        and not re.search(r"\$ref", str(content["schema"]))
        and name != "GET /schemas/definition.json"
    ]

    assert untyped == []


def test_a_document_of_one_version_has_plain_media_types() -> None:
    types = {
        media_type
        for _, operation in operations(openapi_document(2))
        for answer in operation["responses"].values()
        for media_type in answer.get("content", {})
    }

    assert not [one for one in types if "version=" in one]
    assert "/cases" not in openapi_document(2)["paths"]


def examples(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every schema that has examples, with each of them."""
    if isinstance(node, dict):
        given = node.get("examples")
        if isinstance(given, list) and ({"type", "anyOf", "$ref", "properties"} & node.keys()):
            for one in given:
                yield place, node, one
        for key, inner in node.items():
            if key not in ("examples", "example", "default"):
                yield from examples(inner, f"{place}/{key}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from examples(inner, f"{place}/{index}")


def test_examples_are_valid(document: Document) -> None:
    found = list(examples(document))

    assert found
    for place, schema, example in found:
        validator = Draft202012Validator({**schema, "components": document["components"]})
        problems = [one.message for one in validator.iter_errors(example)]
        assert problems == [], f"{place}: {example!r}"


def unbounded(node: Any, place: str) -> Iterator[str]:
    """Every integer without a highest value."""
    if isinstance(node, dict):
        if node.get("type") == "integer" and not {"maximum", "exclusiveMaximum", "enum", "const"} & node.keys():
            yield place
        for key, inner in node.items():
            yield from unbounded(inner, f"{place}/{key}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from unbounded(inner, f"{place}/{index}")


def test_every_number_of_a_request_has_a_highest(document: Document) -> None:
    """A column holds 32 or 64 bits: more than that must be refused before it meets the database."""
    schemas = document["components"]["schemas"]
    found = [
        place for name in schemas if re.search(r"Body(V\d)?$", name) for place in unbounded(schemas[name], name)
    ] + [
        place
        for name, operation in operations(document)
        for one in operation.get("parameters", [])
        for place in unbounded(one["schema"], f"{name} {one['name']}")
    ]

    assert found == []
