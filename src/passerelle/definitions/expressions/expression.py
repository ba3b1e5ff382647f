"""Compiled expressions: the package's first half of what other packages use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from passerelle.definitions.expressions.compiler import Reference, compile_node
from passerelle.definitions.expressions.errors import ExpressionError, Failure
from passerelle.definitions.expressions.nodes import Chain, Node
from passerelle.definitions.expressions.parser import parse
from passerelle.definitions.expressions.running import Evaluation, Operation, result
from passerelle.kit.json import KnownJson

Scope = Mapping[str, KnownJson]
"""The names an expression sees: `parameters`, `steps`, `record`, `case`, `execution`, `item`, `secrets`."""

ROOTS: Final = frozenset({"parameters", "record", "case", "steps", "execution", "item", "secrets"})
"""Every name that an expression may start with; a place that has fewer or more passes its own set."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. Immutable, and safe to evaluate from several threads at once."""

    source: str
    references: tuple[Reference, ...]
    _operation: Operation = field(repr=False, compare=False)
    _only_reads: bool = field(repr=False, compare=False)
    _names: frozenset[str] = field(repr=False, compare=False)

    @classmethod
    def compile(cls, source: str, *, names: frozenset[str] = ROOTS) -> Self:
        """Compile CEL text in which only `names` are known. Raises `ExpressionProblem`."""
        node, _ = parse(source)
        return cls.of(source, node, names)

    @classmethod
    def of(cls, source: str, node: Node, names: frozenset[str]) -> Self:
        """Compile what `parse` made of `source`."""
        operation, references = compile_node(node, names)
        only_reads = isinstance(node, Chain) and not any(isinstance(part, Node) for part in (node.root, *node.keys))
        return cls(source.strip(), references, operation, only_reads, names)

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: compiled again there, when it is first evaluated."""
        later = _Later(self.source, self._names)
        return Expression, (self.source, self.references, later, self._only_reads, self._names)

    def evaluate(self, scope: Scope) -> KnownJson:
        """The expression's value over `scope`. Raises `ExpressionError`; under a meter, `WorkError` as well.

        Whole numbers come back as `int`, times as ISO 8601 text, durations as the text of their seconds (`5400s`).
        A list or an object that is only read is the scope's own, not a copy.
        """
        try:
            return result(self._operation, scope, only_reads=self._only_reads)
        except Failure as failure:
            # A chain that is the whole expression need not be named twice.
            raise ExpressionError(self.source, failure.reason.removeprefix(f"{self.source}: ")) from None


class _Later:
    """An operation that is compiled when it is first called."""

    __slots__ = ("_names", "_operation", "_source")

    def __init__(self, source: str, names: frozenset[str]) -> None:
        self._source = source
        self._names = names
        self._operation: Operation | None = None

    def __call__(self, run: Evaluation) -> Any:
        if self._operation is None:
            self._operation, _ = compile_node(parse(self._source)[0], self._names)
        return self._operation(run)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Later, (self._source, self._names)
