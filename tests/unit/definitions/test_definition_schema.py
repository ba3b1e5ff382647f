"""The published schema: valid itself, closed, and with a word to editors at every key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta

from passerelle.definitions.schema import COMMON_STEP_KEYS, definition_schema
from passerelle.definitions.source import read_source
from passerelle.engine.registry import load_kinds, published_schema

SCHEMA = definition_schema(load_kinds())


def objects(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in the schema that lists properties, with its place."""
    if not isinstance(schema, dict):
        return
    if "properties" in schema:
        yield path, schema
    for keyword in ("properties", "$defs"):
        for name, inner in schema.get(keyword, {}).items():
            yield from objects(inner, f"{path}/{keyword}/{name}")
    for keyword in ("items", "additionalProperties"):
        yield from objects(schema.get(keyword), f"{path}/{keyword}")
    for number, inner in enumerate(schema.get("anyOf", [])):
        yield from objects(inner, f"{path}/anyOf/{number}")


def test_it_is_a_json_schema_with_a_name() -> None:
    meta.validate(SCHEMA)
    assert SCHEMA["$id"] == "urn:passerelle:schema:definition"
    assert SCHEMA["title"] == "Passerelle workflow definition"


def test_every_object_is_closed() -> None:
    # The fields of a form are JSON Schema, which may have any keyword.
    form = "/$defs/step/properties/form/properties/schema"
    assert [
        place for place, part in objects(SCHEMA) if "additionalProperties" not in part and not place.startswith(form)
    ] == []


def test_every_key_is_described() -> None:
    undescribed = [
        f"{place}/{key}"
        for place, part in objects(SCHEMA)
        for key, value in part["properties"].items()
        if "description" not in value and "description" not in SCHEMA["$defs"].get(value.get("$ref", "")[8:], {})
    ]
    assert undescribed == []


def test_a_step_has_exactly_one_kind() -> None:
    validator = Draft202012Validator(SCHEMA)
    one = {"name": "a", "steps": [{"id": "a", "set": {"x": 1}}]}
    assert validator.is_valid(one)
    assert not validator.is_valid({"name": "a", "steps": [{"id": "a"}]})
    assert not validator.is_valid({"name": "a", "steps": [{"id": "a", "set": {"x": 1}, "end": {}}]})


def test_no_kind_takes_the_name_of_a_common_key() -> None:
    assert not COMMON_STEP_KEYS.keys() & load_kinds().keys()


def test_every_reference_of_a_kind_is_a_part_of_the_language() -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            yield from ([part["$ref"]] if isinstance(part.get("$ref"), str) else [])
            for inner in part.values():
                yield from references(inner)
        elif isinstance(part, list):
            for item in part:
                yield from references(item)

    assert {reference.removeprefix("#/$defs/") for reference in references(SCHEMA)} <= SCHEMA["$defs"].keys()


ROOT = Path(__file__).parents[3]
DEFINITIONS = [
    path
    for folder in ("examples/*", "src/passerelle/templates/onboardings/*")
    for path in ROOT.glob(f"{folder}/*.yaml")
    if path.stem == path.parent.name
]


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_what_editors_read_accepts_every_definition_that_is_right(path: Path) -> None:
    document = read_source(path.read_text()).value
    assert [error.message for error in Draft202012Validator(published_schema()).iter_errors(document)] == []


@pytest.mark.parametrize(
    ("given", "is_right"),
    [
        ({"name": "iban", "with": {"value": "PL61109010140000071219812874"}}, True),
        ({"name": "iban", "with": {"value": "${steps.form.account}", "country": "PL"}}, True),
        ({"name": "sanctions", "with": {"name": "A", "threshold": "${parameters.least}"}}, True),
        ({"name": "ours", "with": {"anything": 1}}, True),
        ({"name": "iban", "with": {"number": "PL61109010140000071219812874"}}, False),
        ({"name": "sanctions", "with": {"name": "A", "threshold": 7}}, False),
    ],
)
def test_what_editors_read_knows_what_each_check_takes(given: Any, *, is_right: bool) -> None:
    validator = Draft202012Validator(published_schema())
    assert validator.is_valid({"name": "a", "steps": [{"id": "a", "check": given}]}) == is_right
