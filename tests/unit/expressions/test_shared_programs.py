"""Expressions of one shape share what the library compiled; what they name stays their own."""

from __future__ import annotations

from passerelle.definitions.expressions import Expression


def test_expressions_of_one_shape_share_a_program_and_nothing_else() -> None:
    first = Expression.compile("parameters.age > 18")
    second = Expression.compile("steps.score.total * 18")
    assert first._unit.program is second._unit.program
    scope = {"parameters": {"age": 17}, "steps": {"score": {"total": 2}}}
    assert first.evaluate(scope) is False
    assert second.evaluate(scope) == 36
