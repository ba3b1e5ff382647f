"""Any expression of the grammar means what the model says, and nothing but `ExpressionError` comes out."""

from __future__ import annotations

from typing import Any, Final

import cel
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from passerelle.definitions.expressions import (
    ROOTS,
    Expression,
    ExpressionError,
    ExpressionProblem,
    Template,
    TemplateProblem,
)
from passerelle.definitions.expressions.parser import parse
from tests.unit.definitions.expressions.expression_model import (
    ModelError,
    Tree,
    expected,
    same,
    scopes,
    texts,
    trees,
    values,
    written,
)

NAMES: Final = ROOTS | {"x"}
NO_VALUE: Final = object()
few = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
many = settings(few, max_examples=200)


def _scope(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"parameters": parameters, "x": 7}


def _expected(tree: Tree, parameters: dict[str, Any]) -> Any:
    names = {f"parameters.{name}": value for name, value in parameters.items()} | {"x": 7}
    try:
        return expected(tree, names)
    except ModelError:
        return NO_VALUE


def _evaluated(source: str, parameters: dict[str, Any]) -> Any:
    """The value, or the error that came instead."""
    try:
        return Expression.compile(source, names=NAMES).evaluate(_scope(parameters))
    except ExpressionError as error:
        return error


@many
@given(trees, scopes, st.sampled_from(["", " ", "\n\t"]))
def test_an_expression_means_what_the_model_says(tree: Tree, parameters: dict[str, Any], space: str) -> None:
    value, model = _evaluated(written(tree, space), parameters), _expected(tree, parameters)
    assert isinstance(value, ExpressionError) == (model is NO_VALUE)
    assert model is NO_VALUE or same(value, model)


@few
@given(trees, scopes)
def test_whole_results_are_int_and_every_number_is_finite(tree: Tree, parameters: dict[str, Any]) -> None:
    value = _evaluated(written(tree), parameters)
    if isinstance(value, float):
        assert not value.is_integer() or abs(value) > 2**53
        assert value - value == 0


@few
@given(trees, scopes)
def test_a_reason_shows_no_text_of_the_scope(tree: Tree, parameters: dict[str, Any]) -> None:
    secret = "kowalski-85010112345"
    marked = {name: secret if isinstance(value, str) else value for name, value in parameters.items()}
    value = _evaluated(written(tree), marked)
    if isinstance(value, ExpressionError):
        assert value.reason
        assert secret not in str(value)


BITS: Final = (
    ["${", "$${", "}", "$", '"', "'", "{", '"a"', "parameters.a", "parameters", "+", "1", "has(", ")", ".b", "\\", "//", "x"]
)  # fmt: skip
template_texts = texts | st.lists(st.sampled_from(BITS) | texts, max_size=8).map("".join)
template_values = st.recursive(
    template_texts | values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def _compiled(value: Any) -> Template | TemplateProblem:
    try:
        return Template.compile(value, names=NAMES)
    except TemplateProblem as problem:
        return problem


@many
@given(template_values, scopes)
@example("${", {})
@example("${ '}", {})
def test_a_template_compiles_or_says_where_it_is_wrong(value: Any, parameters: dict[str, Any]) -> None:
    template = _compiled(value)
    if isinstance(template, TemplateProblem):
        assert template.problems
        for path, problem in template.problems:
            assert 0 <= problem.offset <= len(_at(value, path))
    else:
        rendered = _rendered(template, parameters)
        assert template.references or "${" in str(value) or same(rendered, value)


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    """The text at `path`; a problem with a member's name has the path of that member."""
    for key in path[:-1]:
        value = value[key]
    if path and "${" in str(path[-1]):
        return path[-1]
    return value[path[-1]] if path else value


def _rendered(template: Template, parameters: dict[str, Any]) -> Any:
    try:
        return template.render(_scope(parameters))
    except ExpressionError:
        return NO_VALUE


@few
@given(trees, scopes)
def test_a_text_that_is_one_expression_keeps_its_value(tree: Tree, parameters: dict[str, Any]) -> None:
    template = Template.compile({"in": [f"${{{written(tree)}}}"]}, names=NAMES)
    rendered, value = _rendered(template, parameters), _evaluated(written(tree), parameters)
    assert (rendered is NO_VALUE) == isinstance(value, ExpressionError)
    assert rendered is NO_VALUE or same(rendered["in"][0], value)


PIECES: Final = [
    "a", "x.y", "[", "]", "(", ")", "{", "}", ".", ",", ":", "?", "!", "-", "+", "*", "/", "%", "<", "<=", "==", "=", "&&",
    "&", "||", "|", "in", "true", "null", "as", "for", "1", "1.5", ".5", "1e3", "0x1F", "2u", "1e", "0x", "-1e9", "has(",
    ".map(", "f(", "é", "$", "@", "\\", "//", "\\n", "\n", "// c\n", " ",
    '"', '"t"', "'t'", '"""t"""', 'r"\\"', '"\\u0105"', '"\\q"',
]  # fmt: skip
DIFFERENT: Final = (
    "expected a value, found `.`",
    "expected a value, found `,`",
    "without a type",
    "no bytes",
    "is a reserved word",
)
"""What the parser documents as different: names with a leading dot, `[,]`, messages, bytes, words that CEL reserves."""


def _library_accepts(text: str) -> bool:
    try:
        cel.compile(text)
    except ValueError as error:
        # These two we check later, when the names are known; and our whole numbers have 64 bits without a sign.
        later = ("invalid argument to has() macro", "argument must be a simple name", "invalid int literal")
        assume(not any(message in str(error) for message in later))
        return False
    return True


def _refusal(text: str) -> ExpressionProblem | None:
    try:
        parse(text)
    except ExpressionProblem as problem:
        return problem
    return None


def _check_against_library(text: str) -> None:
    accepted, refusal = _library_accepts(text), _refusal(text)
    assume(refusal is None or not any(words in refusal.message for words in DIFFERENT))
    assert accepted == (refusal is None), refusal


@many
@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(["", " "]))
def test_the_parser_accepts_what_the_library_accepts(pieces: list[str], between: str) -> None:
    _check_against_library(between.join(pieces))


@pytest.mark.parametrize("text", ["x{}", "x.y{}", "x.y.z{a: 1}"])
def test_an_object_with_a_type_is_refused_with_what_to_write(text: str) -> None:
    refusal = _refusal(text)
    assert refusal is not None
    assert "an object is written without a type" in refusal.message


@many
@given(trees, st.data())
def test_the_parser_accepts_the_same_as_the_library_near_good_expressions(tree: Tree, data: st.DataObject) -> None:
    text = written(tree)
    at, removed = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 3))
    _check_against_library(text[:at] + data.draw(st.sampled_from(PIECES)) + text[at + removed :])
