"""A form in JSON Schema keeps its fields, rules, titles and conditions; what it cannot keep is told by its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from passerelle.conversions.models import ConversionError
from tests.unit.conversions.passing import converted, refusal, steps, told

ORDER: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Order ${secrets.KEY}",
    "description": "Tell us what you need",
    "type": "object",
    "required": ["name", "kind"],
    "properties": {
        "name": {"type": "string", "title": "Your name", "minLength": 2, "ui:widget": "textarea"},
        "kind": {"enum": ["a", "b"], "enumNames": ["Apples", "Bananas"]},
        "tel": {"type": "string", "format": "tel"},
        "colour": {"type": "string", "format": "color"},
        "age": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        "home": {"$ref": "#/definitions/address"},
    },
    "definitions": {
        "address": {"type": "object", "required": ["street"], "properties": {"street": {"type": "string"}}}
    },
    "if": {"properties": {"kind": {"const": "a"}}},
    "then": {"required": ["sort"], "properties": {"sort": {"type": "string", "title": "Which sort?"}}},
    "else": {"properties": {"ripe": {"type": "boolean"}}},
    "dependencies": {"tel": ["name"]},
}


def form(schema: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = steps(converted(json.dumps(schema)))["answers"]["form"]["schema"]
    return made


def test_fields_keep_rules_titles_and_choices() -> None:
    fields = form(ORDER)["properties"]
    assert fields["name"] == {"type": "string", "title": "Your name", "minLength": 2}
    assert fields["kind"]["oneOf"] == [{"const": "a", "title": "Apples"}, {"const": "b", "title": "Bananas"}]
    assert fields["tel"]["format"] == "phone"
    assert fields["age"] == {"type": "integer", "exclusiveMinimum": 0}


def test_conditions_show_fields() -> None:
    made = form(ORDER)
    assert made["properties"]["sort"]["visibleWhen"] == 'has(form.kind) && form.kind == "a"'
    assert made["properties"]["ripe"]["visibleWhen"] == '!(has(form.kind) && form.kind == "a")'
    assert made["required"] == ["name", "kind", "sort"]
    assert made["dependentRequired"] == {"tel": ["name"]}


def test_what_is_not_carried_over_is_told_by_its_place() -> None:
    reasons = told(converted(json.dumps(ORDER)))
    assert reasons.keys() == {"$schema", "name/ui:widget", "colour/format"}
    assert "color" in reasons["colour/format"]


def test_a_title_that_looks_like_an_expression_is_only_a_title() -> None:
    """Whoever wrote the file must not read what the workspace keeps."""
    done = converted(json.dumps(ORDER))
    assert steps(done)["answers"]["form"]["title"] == "Order $${secrets.KEY}"
    assert "${secrets" not in done.text.replace("$${", "")


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ({"type": "string", "pattern": "(["}, "pattern"),
        ({"$ref": "https://elsewhere.example/schema"}, "x/$ref"),
        ({"$ref": "#/$defs/nowhere"}, "x"),
        ({"type": "text"}, "type"),
        ({"type": "string", "minLength": "two"}, "minLength"),
    ],
)
def test_a_rule_that_cannot_be_is_left_out_and_told(field: dict[str, Any], place: str) -> None:
    done = converted(json.dumps({"properties": {"x": field, "y": {"type": "string"}}}))
    assert any(place in one for one in told(done)), told(done)


def test_an_odd_name_of_a_field_can_be_read_by_a_condition() -> None:
    schema = {
        "properties": {"first name": {"type": "string"}},
        "dependentSchemas": {"first name": {"properties": {"nick": {"type": "string"}}}},
    }
    assert form(schema)["properties"]["nick"]["visibleWhen"] == 'has(form["first name"])'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "neither"),
        ('{"properties": {}}', "no `properties`"),
        ('{"type": "array", "properties": {"a": {}}}', "type: object"),
        ("{" * 3_000 + "}" * 3_000, "not JSON"),
        ('{"properties":' + '{"a":' * 80 + "1" + "}" * 81, "nested deeper"),
        ('{"properties": {"a": [' + "1," * 300_001 + "1]}}", "more than 300,000 values"),
        (b'{"properties": {"\xb1": {}}}', "not UTF-8"),
        ("", "empty"),
    ],
)
def test_what_is_no_form_is_refused_with_a_reason(content: bytes | str, reason: str) -> None:
    with pytest.raises(ConversionError, match=reason):
        converted(content)


WORDS = some.sampled_from(["a", "b c", "${steps.x}", "x-y", "€", "properties", "", "id", "Über\n"])
PLAIN = some.one_of(
    some.none(), some.booleans(), some.integers(-5, 5), some.floats(allow_nan=False, allow_infinity=False), WORDS
)


def schemas(inner: some.SearchStrategy[Any]) -> some.SearchStrategy[Any]:
    keywords: dict[str, some.SearchStrategy[Any]] = {
        "type": some.sampled_from(
            ["string", "number", "object", "array", "boolean", "integer", ["string", "null"], "any"]
        ),
        "properties": some.dictionaries(WORDS, inner, max_size=3),
        "required": some.lists(WORDS, max_size=3),
        "items": some.one_of(inner, some.lists(inner, max_size=2)),
        "enum": some.lists(PLAIN, max_size=3),
        "enumNames": some.lists(WORDS, max_size=3),
        "const": PLAIN,
        "default": PLAIN,
        "title": some.one_of(WORDS, PLAIN),
        "description": WORDS,
        "format": some.sampled_from(["date", "email", "color", "tel", "", 7]),
        "pattern": some.sampled_from(["^a$", "([", "(?<=a)b", "\\d+"]),
        "minimum": PLAIN,
        "exclusiveMinimum": PLAIN,
        "maxLength": PLAIN,
        "$ref": some.sampled_from(["#/definitions/a", "#/$defs/b", "#", "http://x.example/y", "#/nowhere"]),
        "definitions": some.dictionaries(WORDS, inner, max_size=2),
        "if": inner,
        "then": inner,
        "else": inner,
        "allOf": some.lists(inner, max_size=2),
        "anyOf": some.lists(inner, max_size=2),
        "oneOf": some.lists(inner, max_size=2),
        "not": inner,
        "dependencies": some.dictionaries(WORDS, some.one_of(inner, some.lists(WORDS, max_size=2)), max_size=2),
        "additionalProperties": some.one_of(some.booleans(), inner),
        "visibleWhen": WORDS,
        "pii": WORDS,
        "check": WORDS,
        "earliest": WORDS,
        "ui:order": WORDS,
    }
    return some.fixed_dictionaries({}, optional=keywords)


SCHEMAS = some.recursive(some.one_of(some.booleans(), PLAIN), schemas, max_leaves=12)


@settings(max_examples=60, deadline=None)
@given(fields=some.dictionaries(WORDS, SCHEMAS, min_size=1, max_size=4), around=schemas(SCHEMAS))
def test_whatever_the_schema_the_result_passes_check_or_says_why_there_is_none(fields: Any, around: Any) -> None:
    why = refusal(json.dumps({**around, "properties": fields}), "json-schema")
    assert "no definition that passes" not in (why or "")
