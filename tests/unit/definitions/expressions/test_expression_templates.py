"""Templates: `${…}` in the texts of any JSON value."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.definitions.expressions import ExpressionError, Template, TemplateProblem
from passerelle.kit.json import Json

SCOPE = {
    "parameters": {
        "name": "Żółw",
        "n": 70.0,
        "half": 0.5,
        "yes": True,
        "none": None,
        "list": [1, {"a": "b"}],
        "big": 2**53 + 1,
    },
    "steps": {},
}


def _render(value: Any) -> Any:
    return Template.compile(value).render(SCOPE)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${parameters.n}", 70),
        ("${parameters.list}", [1, {"a": "b"}]),
        ("${parameters.none}", None),
        ("${ parameters.yes }", True),
        ("x${parameters.n}", "x70"),
        ("Hello ${parameters.name}!", "Hello Żółw!"),
        ("${parameters.half} ${parameters.yes} ${parameters.big}", "0.5 true 9007199254740993"),
        ("list: ${parameters.list}", 'list: [1,{"a":"b"}]'),
        ("${parameters.name}${parameters.name}", "ŻółwŻółw"),
        ('${ {"a": 1}.a }', 1),
        ("${ '}' + \"${\" }", "}${"),
        ('at ${timestamp("2026-01-05")}', "at 2026-01-05T00:00:00.000Z"),
        ("", ""),
        ("no expression } here {", "no expression } here {"),
        ("costs $5 or $", "costs $5 or $"),
        ("$${parameters.n}", "${parameters.n}"),
        ("$$${parameters.n}", "$${parameters.n}"),
        ("$${a} ${parameters.n} $${b}", "${a} 70 ${b}"),
    ],
)
def test_texts(text: str, result: Any) -> None:
    found = _render(text)
    assert found == result
    assert type(found) is type(result)


def test_values_at_any_depth_are_filled_in() -> None:
    value = {"a": [{"b": "${parameters.n}"}, 1, None], "c": {"d": "x ${parameters.name}"}, "e": True}
    assert _render(value) == {"a": [{"b": 70}, 1, None], "c": {"d": "x Żółw"}, "e": True}


@pytest.mark.parametrize("value", [None, 1, "text", "$${x}", [], {}, {"a": ["b", {"c": 1.5}]}])
def test_constants_refer_to_nothing(value: Any) -> None:
    assert Template.compile(value).references == ()


def test_null_in_a_longer_text_is_an_error() -> None:
    with pytest.raises(ExpressionError, match=r"^parameters\.none: is null, and has no place in a text") as raised:
        _render("Dear ${parameters.none}")
    assert raised.value.expression == "parameters.none"


def test_a_failure_names_the_expression_not_the_text() -> None:
    with pytest.raises(ExpressionError) as raised:
        _render({"to": "Hello ${ steps.review.outcome }, and so on"})
    assert raised.value.expression == "steps.review.outcome"
    assert raised.value.reason == 'step "review" has no output (it did not run)'


def test_an_infinite_number_never_reaches_a_text() -> None:
    with pytest.raises(ExpressionError, match="too large"):
        Template.compile("x ${parameters.n}").render({"parameters": {"n": float("inf")}})


def test_everything_wrong_is_listed_with_its_place() -> None:
    value: Json = {
        "a": ["${", "fine ${parameters.n}", "x ${paramters.n}"],
        "b": {"c": "${1 +}", "d": '${"abc}', "e": "${a b}", "f": "${}"},
        "${key}": 1,
    }
    with pytest.raises(TemplateProblem) as raised:
        Template.compile(value)
    found = {path: (problem.offset, problem.message) for path, problem in raised.value.problems}
    assert {path: offset for path, (offset, _) in found.items()} == {
        ("a", 0): 0,
        ("a", 2): 4,
        ("b", "c"): 5,
        ("b", "d"): 2,
        ("b", "e"): 4,
        ("b", "f"): 2,
        ("${key}",): 0,
    }
    assert found["a", 0][1] == "this ${ is not closed; add }, or write $${ for the characters themselves"
    assert "did you mean `parameters`?" in found["a", 2][1]
    assert "only values can" in found[("${key}",)][1]


def test_a_very_deep_template_is_a_problem() -> None:
    value: Any = "${parameters.n}"
    for _ in range(5_000):
        value = [value]
    with pytest.raises(TemplateProblem, match="levels deep"):
        Template.compile(value)


def test_insert_decides_what_is_put_into_a_text() -> None:
    seen: list[tuple[str, Any]] = []

    def insert(before: str, value: Any) -> str:
        seen.append((before, value))
        return f"<{value}>"

    template = Template.compile(
        {"url": "https://x/${parameters.n}/${parameters.yes}", "all": "${parameters.none}"}, insert=insert
    )
    assert template.render(SCOPE) == {"url": "https://x/<70>/<True>", "all": "<None>"}
    assert seen == [("https://x/", 70), ("https://x/<70>/", True), ("", None)]


def test_what_insert_refuses_is_an_error_of_the_expression() -> None:
    def refuse(before: str, value: Any) -> str:
        raise ValueError("cannot stand in a host name")

    with pytest.raises(ExpressionError, match=r"^parameters\.n: cannot stand in a host name$"):
        Template.compile("https://${parameters.n}", insert=refuse).render(SCOPE)
