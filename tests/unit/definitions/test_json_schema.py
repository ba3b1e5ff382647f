"""Sentences about what does not fit a schema; of people's data they show nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.definitions.json_schema import SchemaCheck, schema_findings

SECRET = "Kowalska"


@pytest.mark.parametrize(
    ("schema", "value", "findings"),
    [
        ({"type": "string"}, 1, [((), "must be a text, is a number")]),
        ({"type": ["integer", "null"]}, [], [((), "must be null or a whole number, is a list")]),
        ({"type": "integer"}, 1.5, [((), "must be a whole number, is a fraction")]),
        ({"enum": ["a", "b"]}, SECRET, [((), "must be `a` or `b`")]),
        ({"const": 1}, 2, [((), "must be `1`, is a number")]),
        ({"minLength": 1}, "", [((), "must not be empty")]),
        ({"minLength": 2}, "a", [((), "must have at least 2 characters")]),
        ({"maxLength": 1}, SECRET, [((), "must have at most 1 character")]),
        ({"pattern": "^[0-9]+$"}, SECRET, [((), "must match the pattern `^[0-9]+$`")]),
        (
            {"pattern": "^(a|aa)+(?=b)$"},
            "a" * 60,
            [((), "is too hard to match with the pattern `^(a|aa)+(?=b)$`; make the pattern simpler")],
        ),
        ({"format": "email"}, SECRET, [((), "is not a valid email")]),
        ({"format": "date"}, SECRET, [((), "is not a valid date")]),
        ({"minimum": 1}, 0, [((), "must be at least 1, is a number")]),
        ({"maximum": 1}, 2, [((), "must be at most 1, is a number")]),
        ({"exclusiveMinimum": 1}, 1, [((), "must be more than 1, is a number")]),
        ({"exclusiveMaximum": 1}, 1, [((), "must be less than 1, is a number")]),
        ({"multipleOf": 2}, 1, [((), "must be a multiple of 2, is a number")]),
        ({"minItems": 1}, [], [((), "must have at least 1 item")]),
        ({"maxItems": 1}, [1, 2], [((), "must have at most 1 item")]),
        ({"uniqueItems": True}, [1, 1], [((), "has the same item twice; each may stand once")]),
        ({"contains": {"const": 1}}, [2], [((), "must have an item of the kind that the schema asks for")]),
        ({"minProperties": 1}, {}, [((), "must have at least 1 key")]),
        ({"maxProperties": 0}, {"a": 1}, [((), "must have at most 0 keys")]),
        ({"required": ["a"]}, {}, [((), "the key `a` is missing")]),
        ({"not": {"type": "null"}}, None, [((), "is not allowed here")]),
        ({"properties": {"a": False}}, {"a": 1}, [(("a",), "is not allowed here")]),
        (
            {"properties": {"amount": {}}, "additionalProperties": False},
            {"amuont": SECRET, "other": SECRET},
            [
                (("amuont",), "unknown key; did you mean `amount`?"),
                (("other",), "unknown key; possible here: `amount`"),
            ],
        ),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, [(("ab",), "must have at most 1 character")]),
        ({"items": {"type": "string"}}, ["a", 1], [((1,), "must be a text, is a number")]),
        (
            {"anyOf": [{"type": "string", "minLength": 9}, {"type": "object"}]},
            SECRET,
            [((), "must have at least 9 characters")],
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
            1,
            [((), "must be a text, is a number; or must be true or false, is a number")],
        ),
        (
            {"oneOf": [{"type": "string"}, {"minLength": 1}]},
            "a",
            [((), "fits several alternatives at once; only one may fit")],
        ),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, [((), "needs one of `a`, `b`")]),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"a": 1, "b": 2},
            [((), "has `a` and `b`; only one of them may stand here")],
        ),
        ({"type": "string", "pattern": "^a", "errorMessage": "must begin with a"}, SECRET, [((), "must begin with a")]),
        ({"unevaluatedProperties": False}, {"a": 1}, [((), "unknown keys `a`; remove them")]),
    ],
)
def test_every_finding_has_a_sentence(schema: Any, value: Any, findings: Any) -> None:
    assert SchemaCheck(schema).findings(value) == findings


def test_values_show_only_where_they_may() -> None:
    schema = {"enum": ["approve", "reject"]}
    assert SchemaCheck(schema).findings("aprove") == [((), "must be `approve` or `reject`")]
    assert SchemaCheck(schema, show_values=True).findings("aprove") == [
        ((), "must be `approve` or `reject`, is `aprove`; did you mean `approve`?")
    ]
    long = "y" * 61
    assert SchemaCheck({"enum": ["x"]}, show_values=True).findings(long) == [((), "must be `x`")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
SCHEMAS = st.recursive(
    st.sampled_from([{}, {"type": "string"}, {"type": ["integer", "array"]}, {"enum": [1, "a", None]}, {"minimum": 0}]),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"items": inner}),
        st.builds(lambda a, b: {"properties": {"a": a, "b": b}, "required": ["a"]}, inner, inner),
        st.builds(lambda a: {"properties": {"a": a}, "additionalProperties": False}, inner),
        st.builds(lambda a, b: {"anyOf": [a, b]}, inner, inner),
        st.builds(lambda a, b: {"oneOf": [a, b]}, inner, inner),
        st.builds(lambda a: {"not": a}, inner),
        st.builds(lambda a: {"propertyNames": a}, inner),
    ),
    max_leaves=6,
)


@given(SCHEMAS, JSON)
def test_there_are_findings_exactly_where_a_value_does_not_fit(schema: Any, value: Any) -> None:
    check = SchemaCheck(schema)
    assert check.is_valid(value) == (check.findings(value) == [])


@pytest.mark.parametrize(
    "schema", [{}, {"$schema": "https://json-schema.org/draft/2020-12/schema#"}, {"items": {"$ref": "#"}}]
)
def test_schemas_that_are_fine(schema: Any) -> None:
    assert schema_findings(schema) == []
