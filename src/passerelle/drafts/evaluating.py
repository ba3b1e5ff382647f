"""What an expression gives for sample values: shown while somebody writes it."""

from __future__ import annotations

from typing import Final

from passerelle.definitions.expressions import (
    ROOTS,
    Expression,
    ExpressionError,
    ExpressionProblem,
    Reference,
    Template,
    TemplateProblem,
)
from passerelle.drafts.schemas import EvaluationAnswer, EvaluationBody
from passerelle.kit.work import HERE_STEPS, Meter, WorkError, metered

_NAMES: Final = (ROOTS - {"secrets"}) | {"form"}
"""`form` is what conditions of fields read; secrets have no samples."""


def evaluated(body: EvaluationBody) -> EvaluationAnswer:
    """The value over `body.values`, or what is wrong; nothing of it depends on the workspace."""
    try:
        made = (
            Template.compile(body.text, names=_NAMES) if body.template else Expression.compile(body.text, names=_NAMES)
        )
    except ExpressionProblem as problem:
        return _wrong(problem.message)
    except TemplateProblem as problem:
        return _wrong(problem.problems[0][1].message)
    reads = _reads(made.references)
    try:
        # A template has many expressions: all of them together may take what one may take between two requests.
        with metered(Meter(each=HERE_STEPS, total=HERE_STEPS)):
            value = made.render(body.values) if isinstance(made, Template) else made.evaluate(body.values)
    except ExpressionError as error:
        return EvaluationAnswer(value=None, problem=error.reason, reads=reads)
    except WorkError:
        return EvaluationAnswer(value=None, problem="takes too much work to be shown while you type", reads=reads)
    return EvaluationAnswer(value=value, problem=None, reads=reads)


def _reads(references: tuple[Reference, ...]) -> list[str]:
    return list(dict.fromkeys(".".join(one.path) for one in references))


def _wrong(message: str) -> EvaluationAnswer:
    return EvaluationAnswer(value=None, problem=message, reads=[])
