"""Chains of members: `has(…)` never fails, and a missing part is named without showing any value."""

from __future__ import annotations

from collections import ChainMap
from types import MappingProxyType
from typing import Any

import pytest

from tests.unit.definitions.expressions.evaluating import reason, value

SCOPE = {
    "parameters": {"country": "PL", "list": [{"a": 1}, {"a": None}], "i": 1, "key": "a", "far": 9, "empty": {}},
    "steps": {"company": {"in": "reserved", "two words": 2}, "started": None},
}


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("has(steps.company)", True),
        ("has(steps.review)", False),
        ("has(steps.review.outcome)", False),
        ("has(steps.review.outcome.deeper[0].still)", False),
        ("has(parameters.list[0].a)", True),
        ("has(parameters.list[1].a)", True),
        ("has(parameters.list[2].a)", False),
        ("has(parameters.list[parameters.i].a)", True),
        ("has(parameters.list[parameters.far].a)", False),
        ("has(parameters.list[0][parameters.key])", True),
        ("has(parameters.country.name)", False),
        ("has(steps.started)", True),
        ("has(steps.started.at)", False),
        ("has(record.name)", False),
        ('has(steps["company"]["two words"])', True),
        ('has({"a": 1}.a) && !has({"a": 1}.b)', True),
    ],
)
def test_has_asks_for_every_part(source: str, result: bool) -> None:
    assert value(source, **SCOPE) is result


def test_a_step_that_did_not_run_can_be_asked_for_before_it_is_read() -> None:
    assert value("!has(steps.review) || steps.review.outcome == 'approve'", **SCOPE) is True
    assert value("has(steps.review) ? steps.review.outcome : 'approve'", **SCOPE) == "approve"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("steps.review.outcome", 'step "review" has no output (it did not run)'),
        ("steps.review.outcome == 1", 'steps.review.outcome: step "review" has no output (it did not run)'),
        ("parameters.contry", "no such member; did you mean country?"),
        ("parameters.empty.x", "no such member"),
        ("parameters.country.code", "parameters.country is a text, so there is nothing inside it"),
        ("steps.started.at", "steps.started is null, so there is nothing inside it"),
        ("parameters.list.a", "parameters.list is a list; take one of its items first, such as parameters.list[0]"),
        ("parameters.list[2]", "the length of parameters.list is 2, and its first item is [0]"),
        ("parameters.list[-1]", "the length of parameters.list is 2, and its first item is [0]"),
        ("parameters.list[0.5]", "parameters.list[…]: the length of parameters.list is 2, and its first item is [0]"),
        ("parameters[parameters.country]", "parameters[…]: parameters is an object, and has no member of that name"),
        ("record.name", "this run has no record: start it with a recordId, or let a step write one before it is read"),
        ('{"a": {}}.a.b', "(…).a.b: no such member"),
        ("parameters.list.all(x, x.b == 1)", "x.b: no such member"),
        ('steps.company["three words"]', "no such member"),
    ],
)
def test_a_missing_part_is_named_with_what_is_there_instead(source: str, expected: str) -> None:
    assert reason(source, **SCOPE) == expected


def test_neither_values_nor_names_of_other_members_are_shown() -> None:
    people = {"kowalski@example.com": {"pesel": "85010112345"}, "wanted": "nowak@example.com"}
    for source in (
        "parameters[parameters.wanted]",
        "parameters.kowalski",
        "parameters.wanted.x",
        "parameters.wanted + 1",
    ):
        shown = reason(source, parameters=people)
        assert "example.com" not in shown
        assert "85010112345" not in shown


def test_members_with_any_name_can_be_read() -> None:
    assert value('steps.company["in"] + steps.company["two words"].string()', **SCOPE) == "reserved2"


def test_what_is_only_read_is_not_copied() -> None:
    body = {"items": [1, 2.0]}
    assert value("steps.registry.body", steps={"registry": {"body": body}}) is body


def test_a_scope_may_be_any_mapping() -> None:
    steps: ChainMap[str, Any] = ChainMap({"inner": {"a": 1}}, {"outer": MappingProxyType({"a": 2})})
    assert value("steps.inner.a + steps.outer.a + size(steps)", steps=steps) == 5
    assert value("has(steps.outer.b)", steps=steps) is False


def test_a_chain_may_start_at_a_computed_value() -> None:
    assert value('{"PL": 1, "DE": 2}[parameters.country] + [[3]][0][0]', **SCOPE) == 4
