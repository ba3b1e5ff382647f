"""A schema is counted as large as it is once every reference is followed, without being written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from passerelle.definitions.json_schema import MOST_JUDGED, SchemaCheck, schema_findings
from passerelle.definitions.schema_size import MOST_AT_ONCE, SchemaSize, schema_size

Make = Callable[[Any], dict[str, Any]]


def chained(length: int, make: Make) -> dict[str, Any]:
    """`$defs` of which each makes something of a reference to the next."""
    defs = {f"d{at}": make({"$ref": f"#/$defs/d{at + 1}"}) for at in range(length)}
    return {"$defs": {**defs, f"d{length}": {"type": "string"}}, "$ref": "#/$defs/d0"}


@pytest.mark.parametrize(
    "make",
    [
        lambda next_: {"properties": {"a": next_, "b": next_}},
        lambda next_: {"allOf": [next_, next_]},
        lambda next_: {"anyOf": [next_, next_]},
        lambda next_: {"oneOf": [next_, {"not": next_}]},
        lambda next_: {"if": next_, "then": next_},
        lambda next_: {"prefixItems": [next_, next_]},
        lambda next_: {"items": next_, "contains": next_},
        lambda next_: {"patternProperties": {"^a": next_, "b$": next_}},
        lambda next_: {"dependentSchemas": {"a": next_, "b": next_}},
        lambda next_: {"allOf": [next_, next_], "unevaluatedProperties": False},
    ],
)
def test_two_kilobytes_that_stand_for_millions_are_refused(make: Make) -> None:
    (finding,) = schema_findings(chained(25, make))
    assert "once every `$ref` is followed" in finding[1]


def test_long_and_plain_is_taken() -> None:
    assert schema_findings(chained(40, lambda next_: {"properties": {"a": next_}})) == []
    assert schema_findings({"oneOf": [{"const": number, "title": str(number)} for number in range(300)]}) == []


def test_a_reference_to_itself_is_taken_only_where_it_goes_into_the_value() -> None:
    tree = {"$defs": {"node": {"properties": {"next": {"$ref": "#/$defs/node"}}}}, "$ref": "#/$defs/node"}
    assert schema_findings(tree) == []
    assert schema_findings({"items": {"$ref": "#"}}) == []
    loop = {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    assert "without going into the value" in schema_findings(loop)[0][1]
    assert "without going into the value" in schema_findings({"$ref": "#"})[0][1]


@pytest.mark.parametrize(
    "schema",
    [
        {"$dynamicRef": "#node"},
        {"properties": {"a": {"$id": "https://example.com/other", "type": "string"}}},
        {"$defs": {"a": {"$anchor": "here"}}, "$ref": "#here"},
    ],
)
def test_references_that_cannot_be_followed_are_refused(schema: dict[str, Any]) -> None:
    assert "$ref" in schema_findings(schema)[0][1]


def test_what_it_costs_counts_alternatives_more() -> None:
    assert schema_size({"properties": {"a": {"type": "string"}}}) == SchemaSize(2, 1, 2)
    assert schema_size({"allOf": [{"type": "string"}] * 3}) == SchemaSize(4, 4, 4)
    assert schema_size({"anyOf": [{"type": "string"}] * 3}).cost == 25
    assert schema_size({"enum": [{"a": 1}, "b"]}).cost == 9


def test_of_a_large_value_the_first_problem_is_told() -> None:
    check = SchemaCheck({"items": {"type": "string"}})
    assert len(check.findings([1] * MOST_JUDGED)) == MOST_JUDGED
    first, more = check.findings([1] * 300_000)
    assert first == ((0,), "must be a text, is a number")
    assert "mend this first" in more[1]


def test_the_more_is_said_of_each_value_the_fewer_values_are_told_of() -> None:
    many = SchemaCheck({"items": {"type": "integer"}, "allOf": [{"items": {"type": "string"}}] * (MOST_AT_ONCE - 2)})
    assert len(many.findings([True] * 300)) == 2
