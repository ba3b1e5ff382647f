"""From the parser's nodes to what runs: a text for the library, and the operations that it calls.

The library decides `&&`, `||`, `!`, `?:` and equality with constants; everything else is `_(number, operands…)`, a
call of the operation with that number. The body of a macro becomes a unit of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from passerelle.definitions.expressions import nodes
from passerelle.definitions.expressions.chains import COMPUTED, Chain
from passerelle.definitions.expressions.errors import ExpressionProblem, Failure
from passerelle.definitions.expressions.functions import FUNCTIONS, NAMESPACES
from passerelle.definitions.expressions.library import cel
from passerelle.definitions.expressions.macros import MACROS, Macro
from passerelle.definitions.expressions.nodes import Node
from passerelle.definitions.expressions.operators import ARITHMETIC, COMPARISONS, negative
from passerelle.definitions.expressions.running import Operation, Unit, list_of, object_of
from passerelle.definitions.expressions.values import EXACT, is_number, named
from passerelle.definitions.words import suggest


@dataclass(frozen=True, slots=True)
class Reference:
    """A chain of names that an expression reads: `steps.registry.body.age`.

    path      the names, up to the first computed member or list index
    offset    where it stands, in characters from the start of the compiled text
    guarded   whether it is what a `has(…)` asks for
    within    in a template: the path inside its value of the text that it stands in
    """

    path: tuple[str, ...]
    offset: int
    guarded: bool = False
    within: tuple[str | int, ...] = ()


def compile_unit(node: Node, names: frozenset[str]) -> tuple[Unit, tuple[Reference, ...]]:
    """What evaluates `node`, and the names it reads. Raises `ExpressionProblem`."""
    references: list[Reference] = []
    unit = _Compiler(names, frozenset(), references).unit(node)
    return unit, tuple(references)


class _Compiler:
    """Compiles one unit. `variables` are those of the macros around it; `references` are of all units."""

    def __init__(self, names: frozenset[str], variables: frozenset[str], references: list[Reference]) -> None:
        self._names = names
        self._variables = variables
        self._references = references
        self._operations: list[Operation] = []

    def unit(self, node: Node, *, condition: bool = False) -> Unit:
        text = self._condition(node) if condition else self._text(node)
        operations = tuple(self._operations)
        if text == "_(0)":
            return Unit(None, operations)
        try:
            return Unit(_program(text), operations)
        except ValueError:
            # The text is ours and well-formed, so only the depth can be wrong: one level here may be three there.
            raise ExpressionProblem(
                "nested too deeply; compute a part of it in a `set` step before", node.offset
            ) from None

    def _text(self, node: Node) -> str:
        return _EMITTERS[type(node)](self, node)

    def _call(self, operation: Operation, *operands: str) -> str:
        self._operations.append(operation)
        return f"_({', '.join((str(len(self._operations) - 1), *operands))})"

    def _apply(self, function: Callable[..., Any], *operands: Node) -> str:
        """A call of a function that needs nothing but its operands."""
        return self._call(_without_run(function), *map(self._text, operands))

    def _condition(self, node: Node) -> str:
        """As `_text`; what may be no boolean is checked, so that the failure says what it was."""
        if _is_condition(node):
            return self._text(node)
        label = str(_chain(node)) if isinstance(node, nodes.Chain) else "a condition"
        return self._call(_without_run(partial(_boolean, label)), self._text(node))

    def constant(self, node: nodes.Constant) -> str:
        if isinstance(node.value, str):
            return _quoted(node.value)
        if not _is_plain(node.value):
            return self._call(lambda _: node.value)
        return _LITERALS.get(str(node.value), str(node.value))

    def chain(self, node: nodes.Chain, *, guarded: bool = False) -> str:
        operands = [] if isinstance(node.root, str) else [self._text(node.root)]
        if isinstance(node.root, str):
            self._refer(node, node.root, guarded)
        operands += [self._text(key) for key in node.keys if isinstance(key, Node)]
        chain = _chain(node)
        return self._call(chain.presence() if guarded else chain.reading(), *operands)

    def _refer(self, node: nodes.Chain, root: str, guarded: bool) -> None:
        if root in self._variables:
            return
        if root not in self._names:
            raise ExpressionProblem(self._unknown_name(root), node.offset)
        path = [root]
        for key in node.keys:
            if not isinstance(key, str):
                break
            path.append(key)
        self._references.append(Reference(tuple(path), node.offset, guarded))

    def _unknown_name(self, name: str) -> str:
        if name in FUNCTIONS or name in MACROS or name in NAMESPACES:
            return f"`{name}` is a function; it is called with (…)"
        known = sorted(self._names | self._variables)
        return f"nothing is called `{name}` here; {suggest(name, known, 'the names here are')}"

    def call(self, node: nodes.Call) -> str:
        if node.function == "has" and node.target is None:
            return self._has(node)
        if node.function in MACROS:
            return self._macro(node, MACROS[node.function])
        name, operands = self._function_and_operands(node)
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionProblem(_unknown_function(name), node.offset)
        if wrong := function.wrong_count(len(operands)):
            raise ExpressionProblem(wrong, node.offset)
        if name == "matches" and isinstance(operands[1], nodes.Constant):
            _check_pattern(operands[1])
        return self._apply(function, *operands)

    def _function_and_operands(self, node: nodes.Call) -> tuple[str, tuple[Node, ...]]:
        match node.target:
            case None:
                return node.function, node.arguments
            case nodes.Chain(root=str() as space, keys=()) if space in NAMESPACES and space not in self._variables:
                return f"{space}.{node.function}", node.arguments
        return node.function, (node.target, *node.arguments)

    def _has(self, node: nodes.Call) -> str:
        match node.arguments:
            case (nodes.Chain(keys=(_, *_)) as chain,):
                return self.chain(chain, guarded=True)
        raise ExpressionProblem("has(…) takes one member, such as has(steps.review.outcome)", node.offset)

    def _macro(self, node: nodes.Call, macro: Macro) -> str:
        if node.target is None or not 2 <= len(node.arguments) <= 1 + macro.most_bodies:
            usage = f"list.{macro.name}(x, …)" + (f" or list.{macro.name}(x, condition, …)" if macro.results else "")
            raise ExpressionProblem(f"{macro.name}(…) is written {usage}", node.offset)
        variable, *bodies = node.arguments
        if not (isinstance(variable, nodes.Chain) and isinstance(variable.root, str) and not variable.keys):
            message = f"{macro.name}(…) needs a plain name first, which its body calls the item by"
            raise ExpressionProblem(message, variable.offset)
        inner = self._variables | {variable.root}
        last_condition = len(bodies) - macro.results
        units = [
            _Compiler(self._names, inner, self._references).unit(body, condition=at < last_condition)
            for at, body in enumerate(bodies)
        ]
        return self._call(macro.operation(variable.root, tuple(units)), self._text(node.target))

    def negation(self, node: nodes.Not) -> str:
        return f"!({self._condition(node.operand)})"

    def negative(self, node: nodes.Negative) -> str:
        return self._apply(negative, node.operand)

    def arithmetic(self, node: nodes.Arithmetic) -> str:
        """One call for the whole row, so that a long row is not deep."""
        operators = [ARITHMETIC[symbol] for symbol, _ in node.rest]
        if len(operators) == 1:
            return self._apply(operators[0], node.first, node.rest[0][1])

        def row(first: Any, *others: Any) -> Any:
            for operator, other in zip(operators, others, strict=True):
                first = operator(first, other)
            return first

        return self._apply(row, node.first, *(operand for _, operand in node.rest))

    def comparison(self, node: nodes.Comparison) -> str:
        plain = any(isinstance(side, nodes.Constant) and _is_plain(side.value) for side in (node.left, node.right))
        if node.operator in ("==", "!=") and plain:
            return f"({self._text(node.left)} {node.operator} {self._text(node.right)})"
        return self._apply(COMPARISONS[node.operator], node.left, node.right)

    def logic(self, node: nodes.Logic) -> str:
        return f"({f' {node.operator} '.join(map(self._condition, node.operands))})"

    def conditional(self, node: nodes.Conditional) -> str:
        chosen, otherwise = self._text(node.chosen), self._text(node.otherwise)
        return f"({self._condition(node.condition)} ? {chosen} : {otherwise})"

    def list_of(self, node: nodes.ListOf) -> str:
        return self._call(list_of, *map(self._text, node.items))

    def object_of(self, node: nodes.ObjectOf) -> str:
        return self._call(object_of, *(self._text(part) for member in node.members for part in member))


@lru_cache(maxsize=4096)
def _program(text: str) -> cel.Program:
    """What the library makes of a text. Names are no part of it, so expressions of one shape share one program."""
    return cel.compile(text)


_EMITTERS: Final[dict[type[Node], Callable[[_Compiler, Any], str]]] = {
    nodes.Constant: _Compiler.constant,
    nodes.Chain: _Compiler.chain,
    nodes.Call: _Compiler.call,
    nodes.Not: _Compiler.negation,
    nodes.Negative: _Compiler.negative,
    nodes.Arithmetic: _Compiler.arithmetic,
    nodes.Comparison: _Compiler.comparison,
    nodes.Logic: _Compiler.logic,
    nodes.Conditional: _Compiler.conditional,
    nodes.ListOf: _Compiler.list_of,
    nodes.ObjectOf: _Compiler.object_of,
}

_LITERALS: Final = {"True": "true", "False": "false", "None": "null"}
_TO_ESCAPE: Final = re.compile(r'[^ -~]|["\\]')


def _quoted(text: str) -> str:
    return '"' + _TO_ESCAPE.sub(lambda match: f"\\U{ord(match.group()):08x}", text) + '"'


def _is_plain(value: nodes.Scalar) -> bool:
    """Whether the library reads it, and compares it with anything, exactly."""
    return not is_number(value) or -EXACT < value < EXACT


def _is_condition(node: Node) -> bool:
    """Whether its value can only be true or false."""
    match node:
        case nodes.Comparison() | nodes.Logic() | nodes.Not():
            return True
        case nodes.Constant(value=bool()):
            return True
        case nodes.Call(function="has", target=None):
            return True
        case nodes.Call(function=name):
            known = MACROS.get(name) or FUNCTIONS.get(name)
            return known is not None and known.is_condition
        case nodes.Conditional(chosen=chosen, otherwise=otherwise):
            return _is_condition(chosen) and _is_condition(otherwise)
    return False


def _chain(node: nodes.Chain) -> Chain:
    root = node.root if isinstance(node.root, str) else None
    return Chain(root, tuple(COMPUTED if isinstance(key, Node) else key for key in node.keys))


def _without_run(function: Callable[..., Any]) -> Operation:
    return lambda _, *operands: function(*operands)


def _boolean(label: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise Failure(f"{label} is {named(value)}, where true or false is needed")


def _check_pattern(pattern: nodes.Constant) -> None:
    try:
        FUNCTIONS["matches"]("", pattern.value)
    except Failure as failure:
        raise ExpressionProblem(failure.reason, pattern.offset) from None


def _unknown_function(name: str) -> str:
    return f"there is no function `{name}`; {suggest(name, [*FUNCTIONS, *MACROS, 'has'], 'there are')}"
