"""CEL expressions with JSON's numbers, and templates with `${…}`."""

from passerelle.definitions.expressions.compiler import Reference
from passerelle.definitions.expressions.errors import ExpressionError, ExpressionProblem, TemplateProblem
from passerelle.definitions.expressions.expression import ROOTS, Expression, Scope
from passerelle.definitions.expressions.template import Insert, Template

__all__ = [
    "ROOTS",
    "Expression",
    "ExpressionError",
    "ExpressionProblem",
    "Insert",
    "Reference",
    "Scope",
    "Template",
    "TemplateProblem",
]
