"""What the tests of expressions share."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.definitions.expressions import ROOTS, Expression, ExpressionError, ExpressionProblem
from passerelle.kit.work import Meter, current, metered


def value(source: str, **scope: Any) -> Any:
    """The value of `source`; `scope` has the names it may read."""
    expression = Expression.compile(source, names=ROOTS | scope.keys())
    with metered(current() or Meter()):
        return expression.evaluate(scope)


def reason(source: str, **scope: Any) -> str:
    """Why `source` fails."""
    with pytest.raises(ExpressionError) as raised:
        value(source, **scope)
    assert raised.value.expression == source
    return raised.value.reason


def problem(source: str, names: frozenset[str] = ROOTS) -> tuple[int, str]:
    """Where `source` does not compile, and why."""
    with pytest.raises(ExpressionProblem) as raised:
        Expression.compile(source, names=names)
    return raised.value.offset, raised.value.message
