"""A second, straightforward reading of the language, which the property tests compare the product with.

Hypothesis draws an expression as a tree; `written` turns it into CEL, `expected` computes its value from the tree.
Nothing here is shared with the product's parser, compiler or operators.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from hypothesis import strategies as st

Tree = tuple[Any, ...]
"""An operator's name, and its operands: `("+", ("constant", 1), ("name", "parameters.a"))`."""


class ModelError(Exception):
    """The expression has no value."""


def written(tree: Tree, space: str = " ") -> str:
    """The tree as CEL, with `space` around the operators."""
    kind, *operands = tree
    match kind:
        case "constant":
            return written_constant(operands[0])
        case "name":
            return str(operands[0])
        case "has":
            return f"has({operands[0]})"
        case "!" | "negative":
            return f"{kind[0].replace('n', '-')}({written(operands[0], space)})"
        case "?":
            condition, chosen, otherwise = (f"({written(operand, space)})" for operand in operands)
            return f"{condition}{space}?{space}{chosen}{space}:{space}{otherwise}"
        case "list":
            return f"[{f',{space}'.join(written(operand, space) for operand in operands)}]"
        case "object":
            members = (f"{written_constant(key)}:{space}{written(value, space)}" for key, value in operands)
            return "{" + ",".join(members) + "}"
        case "index":
            return f"({written(operands[0], space)})[{written(operands[1], space)}]"
        case "size" | "string":
            return f"{kind}({written(operands[0], space)})"
        case "all" | "exists" | "filter" | "map":
            return f"({written(operands[0], space)}).{kind}(x,{space}{written(operands[1], space)})"
        case "in":
            return f"({written(operands[0], space)}) in ({written(operands[1], space)})"
        case _:
            left, right = (f"({written(operand, space)})" for operand in operands)
            return f"{left}{space}{kind}{space}{right}"


def written_constant(value: Any) -> str:
    if isinstance(value, str):
        return (
            '"' + "".join(character if character.isalnum() else f"\\U{ord(character):08x}" for character in value) + '"'
        )
    return (
        {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else repr(value)
    )


def expected(tree: Tree, names: dict[str, Any]) -> Any:
    """The tree's value over `names`, by dotted path. Raises `ModelError`."""
    kind, *operands = tree
    return _RULES[kind](names, *operands)


def _constant(_: dict[str, Any], value: Any) -> Any:
    return value


def _name(names: dict[str, Any], path: str) -> Any:
    if path not in names:
        raise ModelError(path)
    return names[path]


def _has(names: dict[str, Any], path: str) -> bool:
    return path in names


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _checked(value: Any) -> Any:
    """Numbers that JSON can say exactly."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ModelError("64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise ModelError("infinite")
    return value


def _arithmetic(kind: str) -> Callable[..., Any]:
    def compute(names: dict[str, Any], left: Tree, right: Tree) -> Any:
        a, b = expected(left, names), expected(right, names)
        if kind == "+" and type(a) is type(b) and isinstance(a, str | list):
            return a + b
        if not (_is_number(a) and _is_number(b)):
            raise ModelError("types")
        if kind in "/%" and b == 0:
            raise ModelError("zero")
        return _whole(kind, a, b) if isinstance(a, int) and isinstance(b, int) else _floating(kind, a, b)

    return compute


def _whole(kind: str, a: int, b: int) -> int | float:
    if kind == "/":
        quotient = Fraction(a, b)
        if quotient.denominator != 1 and float(quotient).is_integer():
            raise ModelError("not exact")
        return float(quotient) if quotient.denominator != 1 else int(_checked(int(quotient)))
    exact = {"+": a + b, "-": a - b, "*": a * b, "%": int(a - b * int(Fraction(a, b))) if b else 0}[kind]
    return int(_checked(exact))


def _floating(kind: str, a: float, b: float) -> float:
    if Fraction(a) != Fraction(float(a)) or Fraction(b) != Fraction(float(b)):
        raise ModelError("not exact beside a float")
    a, b = float(a), float(b)
    try:
        result = {
            "+": lambda: a + b,
            "-": lambda: a - b,
            "*": lambda: a * b,
            "/": lambda: a / b,
            "%": lambda: math.fmod(a, b),
        }[kind]()
    except OverflowError:
        raise ModelError("too large") from None
    return float(_checked(result))


def _order(compare: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    def ordered(names: dict[str, Any], left: Tree, right: Tree) -> bool:
        a, b = expected(left, names), expected(right, names)
        if _is_number(a) and _is_number(b):
            return compare(Fraction(a), Fraction(b))
        if type(a) is not type(b) or not isinstance(a, str | bool):
            raise ModelError("types")
        return compare(a, b)

    return ordered


def same(a: Any, b: Any) -> bool:
    """JSON equality."""
    if _is_number(a) and _is_number(b):
        return Fraction(a) == Fraction(b)
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(same(*pair) for pair in zip(a, b, strict=True))
    if isinstance(a, dict):
        return sorted(a) == sorted(b) and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def _equality(names: dict[str, Any], left: Tree, right: Tree) -> bool:
    return same(expected(left, names), expected(right, names))


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ModelError("no boolean")
    return value


def _logic(decisive: bool) -> Callable[..., bool]:
    """One decisive operand decides, whatever is wrong with the other."""

    def decide(names: dict[str, Any], *operands: Tree) -> bool:
        failed: ModelError | None = None
        for operand in operands:
            try:
                if _boolean(expected(operand, names)) is decisive:
                    return decisive
            except ModelError as error:
                failed = error
        if failed is not None:
            raise failed
        return not decisive

    return decide


def _conditional(names: dict[str, Any], condition: Tree, chosen: Tree, otherwise: Tree) -> Any:
    return expected(chosen if _boolean(expected(condition, names)) else otherwise, names)


def _negative(names: dict[str, Any], operand: Tree) -> Any:
    value = expected(operand, names)
    if not _is_number(value):
        raise ModelError("types")
    return _checked(-value)


def _index(names: dict[str, Any], container: Tree, key: Tree) -> Any:
    there, at = expected(container, names), expected(key, names)
    if isinstance(there, dict) and isinstance(at, str) and at in there:
        return there[at]
    if isinstance(there, list) and _is_number(at) and at in range(len(there)):
        return there[int(at)]
    raise ModelError("nothing there")


def _in(names: dict[str, Any], item: Tree, container: Tree) -> bool:
    value, there = expected(item, names), expected(container, names)
    if isinstance(there, list):
        return any(same(value, other) for other in there)
    if isinstance(there, dict):
        return isinstance(value, str) and value in there
    raise ModelError("types")


def _size(names: dict[str, Any], operand: Tree) -> int:
    value = expected(operand, names)
    if not isinstance(value, str | list | dict):
        raise ModelError("types")
    return len(value)


def _rounds(names: dict[str, Any], range_: Tree, body: Tree) -> list[tuple[Any, Callable[[], Any]]]:
    items = expected(range_, names)
    if not isinstance(items, list | dict):
        raise ModelError("types")
    return [(item, lambda item=item: expected(body, {**names, "x": item})) for item in items]  # type: ignore[misc]


def _macro(work: Callable[[list[tuple[Any, Callable[[], Any]]]], Any]) -> Callable[..., Any]:
    return lambda names, range_, body: work(_rounds(names, range_, body))


_RULES: Final[dict[str, Callable[..., Any]]] = {
    "constant": _constant,
    "name": _name,
    "has": _has,
    "!": lambda names, operand: not _boolean(expected(operand, names)),
    "negative": _negative,
    **{kind: _arithmetic(kind) for kind in "+-*/%"},
    "<": _order(lambda a, b: a < b),
    "<=": _order(lambda a, b: a <= b),
    ">": _order(lambda a, b: a > b),
    ">=": _order(lambda a, b: a >= b),
    "==": _equality,
    "!=": lambda names, left, right: not _equality(names, left, right),
    "&&": _logic(False),
    "||": _logic(True),
    "?": _conditional,
    "list": lambda names, *items: [expected(item, names) for item in items],
    "object": lambda names, *members: {key: expected(value, names) for key, value in members},
    "index": _index,
    "in": _in,
    "size": _size,
    "all": _macro(lambda rounds: all(_boolean(value()) for _, value in rounds)),
    "exists": _macro(lambda rounds: any(_boolean(value()) for _, value in rounds)),
    "filter": _macro(lambda rounds: [item for item, value in rounds if _boolean(value())]),
    "map": _macro(lambda rounds: [value() for _, value in rounds]),
}

numbers = st.one_of(
    st.integers(-10, 10),
    st.integers(-(2**63), 2**64 - 1),
    st.sampled_from(
        [2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 0.0, -0.0, 0.5, 1.0, 70.0, 70.5, 1e300, 9007199254740992.0]
    ),
    st.floats(allow_nan=False, allow_infinity=False),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
scalars = st.one_of(numbers, texts, st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["k", "m"]), inner, max_size=2)
    ),
    max_leaves=5,
)


Trees = st.SearchStrategy[Tree]

SCOPE: Final = {"a": numbers, "b": numbers, "c": texts, "d": st.lists(numbers, max_size=3), "e": values}
"""What the parameters mostly are; each may be missing, or anything."""
scopes = st.fixed_dictionaries({}, optional={name: kind | values for name, kind in SCOPE.items()})


def _named(*names: str) -> Trees:
    return st.sampled_from(names).map(lambda name: ("name", name))


def _of(kinds: str, *operands: Trees) -> Trees:
    return st.tuples(st.sampled_from(kinds.split()), *operands)


def _constant_of(strategy: st.SearchStrategy[Any]) -> Trees:
    return strategy.map(lambda value: ("constant", value))


def _short(strategy: Trees) -> Trees:
    """The same, with a short name: Hypothesis writes names out, and those of nested choices grow exponentially."""

    @st.composite
    def tree(draw: st.DrawFn) -> Tree:
        return draw(strategy)

    return tree()


def _grown(inner: dict[str, Trees]) -> dict[str, Trees]:
    """Trees by the kind of their value, made of smaller ones. Now and then one is of another kind."""
    number, text, condition, listed = (_short(inner[kind]) for kind in ("number", "text", "condition", "list"))
    anything = _short(st.one_of(*inner.values()))
    object_ = st.lists(st.tuples(texts, anything), max_size=2, unique_by=lambda member: member[0]).map(
        lambda members: ("object", *members)
    )
    return {
        "number": st.one_of(
            number, _of("+ - * / %", number, number), _of("negative", number), _of("size", text | listed | anything),
            _of("index", listed, number), _of("?", condition, number, number), _of("+ - * / %", number, anything),
        ),
        "text": st.one_of(text, _of("+", text, text), _of("?", condition, text, text), _of("+", text, anything)),
        "condition": st.one_of(
            condition, _of("< <= > >= == !=", number, number), _of("< <= > >= == !=", text, text),
            _of("&& ||", condition, condition), _of("!", condition), _of("all exists", listed, condition),
            _of("in", anything, listed), _of("== !=", anything, anything), _of("&& || <", condition, anything),
        ),
        "list": st.one_of(
            listed, st.lists(anything, max_size=3).map(lambda items: ("list", *items)), _of("+", listed, listed),
            _of("map", listed, anything), _of("filter", listed, condition),
        ),
        "other": st.one_of(anything, object_, _of("index", object_, text), _of("in", text, object_)),
    }  # fmt: skip


_leaves: dict[str, Trees] = {
    "number": _constant_of(numbers) | _named("parameters.a", "parameters.b", "x"),
    "text": _constant_of(texts) | _named("parameters.c"),
    "condition": _constant_of(st.booleans())
    | st.sampled_from([*SCOPE, "zz"]).map(lambda name: ("has", f"parameters.{name}")),
    "list": _named("parameters.d") | st.lists(_constant_of(numbers), max_size=3).map(lambda items: ("list", *items)),
    "other": _constant_of(scalars) | _named("parameters.e", "parameters.zz"),
}
trees: Trees = st.one_of(*_grown(_grown(_grown(_leaves))).values())
