"""From the parser's nodes to what runs: closures, one for each node, that call those of their operands.

`&&` and `||` treat errors as CEL says: an operand that decides makes up for one that fails, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from passerelle.definitions.expressions import nodes
from passerelle.definitions.expressions.chains import COMPUTED, MemberPath
from passerelle.definitions.expressions.errors import ExpressionProblem, Failure
from passerelle.definitions.expressions.functions import FUNCTIONS, NAMESPACES
from passerelle.definitions.expressions.macros import MACROS, Macro
from passerelle.definitions.expressions.nodes import Node
from passerelle.definitions.expressions.operators import ARITHMETIC, COMPARISONS, negative
from passerelle.definitions.expressions.running import Evaluation, Operation
from passerelle.definitions.expressions.values import named
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
    compared: tuple[Any, ...] = ()
    """The constants that it is compared with, for being equal or not."""


def compile_node(node: Node, names: frozenset[str]) -> tuple[Operation, tuple[Reference, ...]]:
    """What evaluates `node`, and the names it reads. Raises `ExpressionProblem`."""
    references: list[Reference] = []
    operation = _Compiler(names, frozenset(), references).operation(node)
    return operation, tuple(references)


class _Compiler:
    """Compiles nodes. `variables` are those of the macros around them; `references` collects what they read."""

    def __init__(self, names: frozenset[str], variables: frozenset[str], references: list[Reference]) -> None:
        self._names = names
        self._variables = variables
        self._references = references
        self.size = 0

    def operation(self, node: Node) -> Operation:
        """What evaluates `node`. Raises `ExpressionProblem`."""
        self.size += 1
        return _BY_NODE[type(node)](self, node)

    def condition(self, node: Node) -> Operation:
        """As `operation`; what may be no boolean is checked, so that the failure says what it was."""
        operand = self.operation(node)
        if _is_condition(node):
            return operand
        label = str(_chain(node)) if isinstance(node, nodes.Chain) else "a condition"
        return lambda run: _boolean(label, operand(run))

    def constant(self, node: nodes.Constant) -> Operation:
        return lambda _: node.value

    def chain(self, node: nodes.Chain, *, guarded: bool = False) -> Operation:
        operands = [] if isinstance(node.root, str) else [self.operation(node.root)]
        if isinstance(node.root, str):
            self._refer(node, node.root, guarded)
        operands += [self.operation(key) for key in node.keys if isinstance(key, Node)]
        chain = _chain(node)
        return chain.presence(operands) if guarded else chain.reading(operands)

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

    def call(self, node: nodes.Call) -> Operation:
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
        return _applied(function, *map(self.operation, operands))

    def _function_and_operands(self, node: nodes.Call) -> tuple[str, tuple[Node, ...]]:
        match node.target:
            case None:
                return node.function, node.arguments
            case nodes.Chain(root=str() as space, keys=()) if space in NAMESPACES and space not in self._variables:
                return f"{space}.{node.function}", node.arguments
        return node.function, (node.target, *node.arguments)

    def _has(self, node: nodes.Call) -> Operation:
        match node.arguments:
            case (nodes.Chain(keys=(_, *_)) as chain,):
                return self.chain(chain, guarded=True)
        raise ExpressionProblem("has(…) takes one member, such as has(steps.review.outcome)", node.offset)

    def _macro(self, node: nodes.Call, macro: Macro) -> Operation:
        if node.target is None or not 2 <= len(node.arguments) <= 1 + macro.most_bodies:
            usage = f"list.{macro.name}(x, …)" + (f" or list.{macro.name}(x, condition, …)" if macro.results else "")
            raise ExpressionProblem(f"{macro.name}(…) is written {usage}", node.offset)
        variable, *bodies = node.arguments
        if not (isinstance(variable, nodes.Chain) and isinstance(variable.root, str) and not variable.keys):
            message = f"{macro.name}(…) needs a plain name first, which its body calls the item by"
            raise ExpressionProblem(message, variable.offset)
        inner = _Compiler(self._names, self._variables | {variable.root}, self._references)
        last_condition = len(bodies) - macro.results
        operations = [
            inner.condition(body) if at < last_condition else inner.operation(body) for at, body in enumerate(bodies)
        ]
        return macro.operation(variable.root, self.operation(node.target), tuple(operations), inner.size)

    def negation(self, node: nodes.Not) -> Operation:
        operand = self.condition(node.operand)
        return lambda run: not operand(run)

    def negative(self, node: nodes.Negative) -> Operation:
        return _applied(negative, self.operation(node.operand))

    def arithmetic(self, node: nodes.Arithmetic) -> Operation:
        """One operation for the whole row, so that a long row is not deep."""
        first = self.operation(node.first)
        rest = [(ARITHMETIC[symbol], self.operation(operand)) for symbol, operand in node.rest]

        def row(run: Evaluation) -> Any:
            value = first(run)
            for operator, operand in rest:
                value = operator(value, operand(run))
            return value

        return row

    def comparison(self, node: nodes.Comparison) -> Operation:
        before = len(self._references)
        left, right = self.operation(node.left), self.operation(node.right)
        if node.operator in ("==", "!=", "in"):
            self._note_constants(node, before)
        return _applied(COMPARISONS[node.operator], left, right)

    def _note_constants(self, node: nodes.Comparison, before: int) -> None:
        """Keep what a chain of names is compared with, where that stands there."""
        read, other = (node.left, node.right) if isinstance(node.left, nodes.Chain) else (node.right, node.left)
        constants = other.items if node.operator == "in" and isinstance(other, nodes.ListOf) else (other,)
        values = tuple(one.value for one in constants if isinstance(one, nodes.Constant))
        if len(self._references) == before + 1 and isinstance(read, nodes.Chain) and len(values) == len(constants):
            reference = self._references[before]
            if len(reference.path) == 1 + len(read.keys):
                self._references[before] = replace(reference, compared=values)

    def logic(self, node: nodes.Logic) -> Operation:
        operands = tuple(map(self.condition, node.operands))
        decisive = node.operator == "||"

        def decide(run: Evaluation) -> bool:
            failed: Failure | None = None
            for operand in operands:
                try:
                    if bool(operand(run)) == decisive:
                        return decisive
                except Failure as failure:
                    failed = failure
            if failed is not None:
                raise failed
            return not decisive

        return decide

    def conditional(self, node: nodes.Conditional) -> Operation:
        condition = self.condition(node.condition)
        chosen, otherwise = self.operation(node.chosen), self.operation(node.otherwise)
        return lambda run: chosen(run) if condition(run) else otherwise(run)

    def list_of(self, node: nodes.ListOf) -> Operation:
        items = tuple(map(self.operation, node.items))
        return lambda run: [item(run) for item in items]

    def object_of(self, node: nodes.ObjectOf) -> Operation:
        members = tuple((self.operation(key), self.operation(value)) for key, value in node.members)
        return lambda run: {_member_name(key(run)): value(run) for key, value in members}


_BY_NODE: Final[dict[type[Node], Callable[[_Compiler, Any], Operation]]] = {
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


def _chain(node: nodes.Chain) -> MemberPath:
    root = node.root if isinstance(node.root, str) else None
    return MemberPath(root, tuple(COMPUTED if isinstance(key, Node) else key for key in node.keys))


def _applied(function: Callable[..., Any], *operands: Operation) -> Operation:
    """A call of a function that needs nothing but the values of its operands."""
    match operands:
        case (operand,):
            return lambda run: function(operand(run))
        case (left, right):
            return lambda run: function(left(run), right(run))
    return lambda run: function(*[operand(run) for operand in operands])


def _member_name(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise Failure(f"the name of a member must be a text, not {named(key)}")


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
