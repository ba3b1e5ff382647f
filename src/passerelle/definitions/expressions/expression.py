"""Compiled expressions: the package's first half of what other packages use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from passerelle.definitions.expressions.compiler import Reference, compile_unit
from passerelle.definitions.expressions.errors import ExpressionError, Failure
from passerelle.definitions.expressions.nodes import Node
from passerelle.definitions.expressions.parser import parse
from passerelle.definitions.expressions.running import Unit
from passerelle.kit.json import Json

Scope = Mapping[str, Json]
"""The names an expression sees: `parameters`, `steps`, `record`, `case`, `execution`, `item`, `secrets`."""

ROOTS: Final = frozenset({"parameters", "record", "case", "steps", "execution", "item", "secrets"})
"""Every name that an expression may start with; a place that has fewer or more passes its own set."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. Immutable, and safe to evaluate from several threads at once."""

    source: str
    references: tuple[Reference, ...]
    _unit: Unit = field(repr=False, compare=False)

    @classmethod
    def compile(cls, source: str, *, names: frozenset[str] = ROOTS) -> Self:
        """Compile CEL text in which only `names` are known. Raises `ExpressionProblem`."""
        node, _ = parse(source)
        return cls.of(source, node, names)

    @classmethod
    def of(cls, source: str, node: Node, names: frozenset[str]) -> Self:
        """Compile what `parse` made of `source`."""
        unit, references = compile_unit(node, names)
        return cls(source.strip(), references, unit)

    def evaluate(self, scope: Scope) -> Json:
        """The expression's value over `scope`. Raises `ExpressionError`, and nothing else.

        Whole numbers come back as `int`, times as ISO 8601 text, durations as the text of their seconds (`5400s`).
        A list or an object that is only read is the scope's own, not a copy.
        """
        try:
            return self._unit.result(scope)
        except Failure as failure:
            # A chain that is the whole expression need not be named twice.
            raise ExpressionError(self.source, failure.reason.removeprefix(f"{self.source}: ")) from None
