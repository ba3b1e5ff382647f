"""Chosen operations of an OpenAPI document become `http` steps; what they need becomes parameters and secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some

from passerelle.conversions.models import ConversionError
from passerelle.definitions.source import read_source
from tests.unit.conversions.passing import converted, refusal, steps, told
from tests.unit.examples.loading import EXAMPLES

PETS = """
openapi: 3.1.0
info: {title: Pets, version: "1"}
servers: [{url: "https://{region}.pets.example/v1", variables: {region: {default: eu}}}]
security: [{key: []}]
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Api-Key}, login: {type: oauth2}}
  schemas: {Pet: {type: object, required: [name], properties: {name: {type: string, maxLength: 9}, tag: {type: string}}}}
paths:
  /pets/{petId}:
    parameters: [{name: petId, in: path, required: true, schema: {type: string}}]
    get:
      summary: Read a pet
      operationId: getPet
      parameters: [{name: full, in: query, schema: {type: boolean}}, {name: c, in: cookie}]
    put: {operationId: put-pet, requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}}
    options: {}
  /files/{x}:
    post: {security: [{login: []}], requestBody: {content: {multipart/form-data: {}}}, callbacks: {later: {}}}
"""
DOCUMENT = EXAMPLES.parent / "docs" / "reference" / "openapi-v2.json"


def test_an_operation_is_a_call_with_parameters_and_a_secret() -> None:
    done = converted(PETS)
    made = steps(done)
    assert list(made) == ["getPet", "putPet", "postFilesX"]
    assert made["getPet"]["http"] == {
        "method": "GET",
        "url": "https://eu.pets.example/v1/pets/${parameters.petId}",
        "headers": {"X-Api-Key": "${secrets.KEY}"},
        "query": {"full": "${has(parameters.full) ? parameters.full : null}"},
    }
    assert made["putPet"]["http"]["body"] == {"name": "${parameters.name}"}
    assert made["postFilesX"]["http"]["headers"] == {"Authorization": "Bearer ${secrets.LOGIN}"}
    assert read_source(done.text).value["parameters"]["full"] == {"type": "boolean"}


def test_only_chosen_operations_become_steps_in_their_order() -> None:
    done = converted(PETS, operations=("put-pet", "getPet"))
    assert list(steps(done)) == ["putPet", "getPet"]
    assert {one.id: one.chosen for one in done.operations} == {
        "getPet": True,
        "put-pet": True,
        "post /files/{x}": False,
    }


def test_what_is_not_carried_over_is_told() -> None:
    reasons = told(converted(PETS))
    assert "cookie" in reasons["getPet/c"]
    assert "OPTIONS" in reasons["options /pets/{petId}"]
    assert "tag" in reasons["put-pet/requestBody"]
    assert "maxLength" in reasons["put-pet/requestBody/name"]
    assert "multipart/form-data" in reasons["post /files/{x}/requestBody"]
    assert "event" in reasons["post /files/{x}/callbacks"]
    assert "secret KEY" in reasons["securitySchemes/key"]


def test_of_a_large_document_the_first_operations_are_taken_and_all_are_listed() -> None:
    done = converted(DOCUMENT.read_bytes())
    assert sum(one.chosen for one in done.operations) == 20
    assert len(done.operations) > 150
    assert "choose" in told(done)["paths"]


@pytest.mark.parametrize(
    ("content", "wish", "reason"),
    [
        ("swagger: '2.0'", {}, "Swagger 2.0"),
        ("openapi: 4.0.0\npaths: {}", {}, "OpenAPI 4.0.0"),
        ("openapi: 3.0.0\npaths: {}", {}, "no operations"),
        (PETS, {"operations": ("getPets",)}, "did you mean `getPet`"),
        ("openapi: [", {}, "not YAML"),
        ("openapi: 3.0.0 #" + "x" * 1_000_001, {}, "send it as JSON"),
        (f'{{"openapi": "3.0.0", "x": "{"x" * 5_000_001}"}}', {}, "5,000,000 are the most"),
    ],
)
def test_what_is_no_document_is_refused_with_a_reason(content: str, wish: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConversionError, match=reason):
        converted(content, "openapi", **wish)


def test_a_server_that_would_read_a_secret_is_only_a_text() -> None:
    document = yaml.safe_load(PETS)
    document["servers"] = [{"url": "https://evil.example/${secrets.OTHER}"}]
    document["paths"] = {"/${secrets.OTHER}/{petId}": document["paths"]["/pets/{petId}"]}
    text = converted(json.dumps(document)).text.replace("%24{secrets.OTHER}", "")
    assert [line for line in text.splitlines() if "secrets.OTHER" in line and not line.lstrip().startswith("#")] == []


ANY = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(-3, 3), some.sampled_from(["", "a", "${secrets.A}", "object", "#/components/schemas/a", "path", "query"])),
    lambda inner: some.one_of(some.lists(inner, max_size=3), some.dictionaries(some.sampled_from(["a", "$ref", "type", "name", "in", "schema", "properties", "required", "content", "application/json", "x y"]), inner, max_size=4)),
    max_leaves=10,
)  # fmt: skip
OPERATION = some.fixed_dictionaries(
    {},
    optional={
        "operationId": ANY,
        "summary": ANY,
        "parameters": some.one_of(ANY, some.lists(ANY, max_size=3)),
        "requestBody": ANY,
        "security": ANY,
        "servers": ANY,
    },
)
PATHS = some.dictionaries(
    some.text(some.characters(codec="utf-8", exclude_characters="\0"), max_size=10).map("/{a}".__add__),
    some.fixed_dictionaries({}, optional={"get": OPERATION, "post": OPERATION, "parameters": ANY, "trace": ANY}),
    min_size=1,
    max_size=3,
)


@settings(max_examples=60, deadline=None)
@given(paths=PATHS, components=ANY, servers=ANY, title=ANY)
def test_whatever_the_document_the_result_passes_check_or_says_why_there_is_none(
    paths: Any, components: Any, servers: Any, title: Any
) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": title},
        "paths": paths,
        "components": components,
        "servers": servers,
    }
    why = refusal(json.dumps(document), "openapi")
    assert why is None or "no operations" in why
