"""Which workspaces a statement reaches: what of its tables is compared by the column that says whose a row is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pglast
from pglast.stream import RawStream

ast: Any = pglast.ast
"""Without its types: they say of each part of a statement that it may be missing."""

DISTRIBUTION = ("workspace_id", "chain")
"""The columns that say whose a row is. `chain` is a workspace, or an organization."""

Node = tuple[object, ...]
"""A table of the statement, or a value that one is compared with: those that are equal belong together."""


@dataclass
class Reach:
    """What one statement reaches."""

    known: frozenset[str]
    tables: list[tuple[str, Node]] = field(default_factory=list)
    """Its tables of workspaces, each as often as it is named."""
    joined: list[list[Node]] = field(default_factory=list)
    """What is joined with each other: in one FROM, and what an inner statement reads with what the outer one does."""
    deletes_anywhere: bool = False
    """It calls the function that deletes rows of all workspaces, whose statement is made when it runs."""
    _above: dict[Node, Node] = field(default_factory=dict)
    _numbered: int = 0

    @property
    def is_joined(self) -> bool:
        """Whether each join of tables of workspaces compares whose the rows are."""
        return all(len({self.find(node) for node in nodes}) == 1 for nodes in self.joined if nodes)

    @property
    def is_of_one(self) -> bool:
        """Whether each table is narrowed to a workspace that is given: a parameter, a setting, a row of a trigger."""
        given = {self.find(node) for node in list(self._above) if node[0] == "given"}
        return not self.deletes_anywhere and all(self.find(node) in given for _, node in self.tables)

    def find(self, node: Node) -> Node:
        while (above := self._above.setdefault(node, node)) != node:
            node = above
        return node

    def same(self, one: Node | None, other: Node | None) -> None:
        if one is not None and other is not None:
            # A value that is given stays visible as such, whatever is equal to it.
            self._above[self.find(one)] = self.find(other)

    def source(self, name: str) -> Node:
        """A node of its own for something that rows come from."""
        self._numbered += 1
        node = ("source", self._numbered, name)
        if name in self.known:
            self.tables.append((name, node))
        return node


@dataclass
class Scope:
    """What names mean in one part of a statement."""

    above: Scope | None
    queries: dict[str, Node | None] = field(default_factory=dict)
    """The statement's own queries (WITH), and what says whose their rows are; None if they do not say it."""
    sources: dict[str, Node] = field(default_factory=dict)
    telling: list[Node] = field(default_factory=list)
    """The sources that have such a column."""

    def query(self, name: str) -> tuple[bool, Node | None]:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.queries:
                return True, scope.queries[name]
            scope = scope.above
        return False, None

    def named(self, name: str) -> Node | None:
        return self.sources.get(name) or (self.above.named(name) if self.above else None)

    def only(self) -> Node | None:
        """Whose column one is that has no name before it: PostgreSQL takes the nearest."""
        return self.telling[0] if self.telling else self.above.only() if self.above else None


def reach(tree: Any, known: frozenset[str]) -> Reach:
    """What a statement reaches.

    known   the tables of workspaces
    """
    found = Reach(known)
    _Reader(found).statement(tree, None)
    return found


class _Reader:
    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def statement(self, tree: Any, above: Scope | None, place: int | None = None) -> Node | None:
        """Read a statement; what says whose the rows are that it gives.

        place   which of its columns that is, where not its name tells
        """
        scope = Scope(above)
        self._queries(tree, scope)
        match tree:
            case ast.SelectStmt() if tree.op:
                left, right = self.statement(tree.larg, scope, place), self.statement(tree.rarg, scope, place)
                self._reach.same(left, right)
                return left or right
            case ast.SelectStmt():
                self._select(tree, scope)
            case ast.InsertStmt():
                self._insert(tree, scope)
            case ast.UpdateStmt() | ast.DeleteStmt():
                self._change(tree, scope)
            case _:
                self._nested(tree, scope)
        self._reach.joined.append(scope.telling + (above.telling[:1] if above else []))
        targets = tree.targetList if isinstance(tree, ast.SelectStmt) else getattr(tree, "returningList", None)
        self._nested(targets, scope)
        return self._given(targets, scope, place)

    def _queries(self, tree: Any, scope: Scope) -> None:
        for query in getattr(getattr(tree, "withClause", None), "ctes", None) or ():
            scope.queries[query.ctename] = None
            if tree.withClause.recursive and _begins_telling(query.ctequery):
                scope.queries[query.ctename] = self._reach.source("")
            given = self.statement(query.ctequery, scope)
            self._reach.same(scope.queries[query.ctename], given)
            scope.queries[query.ctename] = given

    def _select(self, tree: Any, scope: Scope) -> None:
        for item in tree.fromClause or ():
            self._from(item, scope)
        self._conditions(tree.whereClause, scope)
        self._nested((tree.groupClause, tree.havingClause, tree.sortClause, tree.limitCount, tree.valuesLists), scope)

    def _change(self, tree: Any, scope: Scope) -> None:
        self._from(tree.relation, scope)
        for item in getattr(tree, "fromClause", None) or getattr(tree, "usingClause", None) or ():
            self._from(item, scope)
        self._conditions(tree.whereClause, scope)
        self._nested(getattr(tree, "targetList", None), scope)

    def _from(self, item: Any, scope: Scope) -> list[Node]:
        match item:
            case ast.RangeVar():
                is_query, given = scope.query(item.relname)
                node = self._reach.source("" if is_query else item.relname)
                self._reach.same(node, given)
                tells = given is not None if is_query else item.relname in (*self._reach.known, "workspace")
                return self._add(item.alias.aliasname if item.alias else item.relname, node, scope, tells)
            case ast.RangeSubselect():
                node = self._reach.source("")
                given = self.statement(item.subquery, scope)
                self._reach.same(node, given)
                return self._add(item.alias.aliasname if item.alias else "", node, scope, given is not None)
            case ast.RangeFunction():
                self._nested(item.functions, scope)
                columns = (column.colname for column in item.coldeflist or ())
                names = (name.sval for name in (item.alias.colnames if item.alias else None) or ())
                tells = any(name in DISTRIBUTION for name in (*columns, *names))
                return self._add(_function_alias(item), self._reach.source(""), scope, tells)
            case ast.RangeTableSample():
                return self._from(item.relation, scope)
            case ast.JoinExpr():
                left, right = self._from(item.larg, scope), self._from(item.rarg, scope)
                if any(name.sval in DISTRIBUTION for name in item.usingClause or ()):
                    for node in (*left, *right):
                        self._reach.same(node, left[0] if left else None)
                self._conditions(item.quals, scope)
                return left + right
        raise TypeError(f"rows from {item!r}")

    def _add(self, name: str, node: Node, scope: Scope, tells: bool) -> list[Node]:
        scope.sources[name] = node
        if tells:
            scope.telling.append(node)
        return [node] if tells else []

    def _insert(self, tree: Any, scope: Scope) -> None:
        target = next(iter(self._from(tree.relation, scope)), None)
        scope.telling.clear()  # what is inserted cannot name it
        columns = [column.name for column in tree.cols or ()]
        place = next((columns.index(name) for name in DISTRIBUTION if name in columns), None)
        source = tree.selectStmt
        if place is not None and source is not None and source.valuesLists:
            for row in source.valuesLists:
                self._reach.same(target, self._value(row[place], scope))
            self._nested(source.valuesLists, scope)
        elif source is not None:
            self._reach.same(target, self.statement(source, scope, place))
        if tree.onConflictClause is not None:
            self._nested((tree.onConflictClause.targetList, tree.onConflictClause.whereClause), scope)
        if target is not None:
            scope.telling.append(target)

    def _conditions(self, condition: Any, scope: Scope) -> None:
        """What must hold: only what is joined by AND narrows."""
        match condition:
            case ast.BoolExpr() if condition.boolop.name == "AND_EXPR":
                for one in condition.args:
                    self._conditions(one, scope)
            case ast.A_Expr() if condition.kind.name == "AEXPR_OP" and condition.name[-1].sval == "=":
                self._equal(condition.lexpr, condition.rexpr, scope)
            case ast.SubLink() if condition.subLinkType.name == "ANY_SUBLINK" and not condition.operName:
                given = self.statement(condition.subselect, scope)
                left = condition.testexpr
                for one in left.args if isinstance(left, ast.RowExpr) else [left]:
                    if _tells(one):
                        self._reach.same(self._value(one, scope), given)
            case _:
                self._nested(condition, scope)

    def _equal(self, left: Any, right: Any, scope: Scope) -> None:
        if isinstance(left, ast.RowExpr) and isinstance(right, ast.RowExpr):
            for one, other in zip(left.args, right.args, strict=True):
                self._equal(one, other, scope)
        elif _tells(left) or _tells(right):
            self._reach.same(self._value(left, scope), self._value(right, scope))
        else:
            self._nested((left, right), scope)

    def _value(self, value: Any, scope: Scope) -> Node | None:
        """What a value is: the column of a source, or something that is given."""
        match value:
            case ast.TypeCast():
                return self._value(value.arg, scope)
            case ast.SubLink() if value.subLinkType.name == "EXPR_SUBLINK":
                given = self.statement(value.subselect, scope)
                return given or ("given", RawStream()(value))
            case ast.ColumnRef() if _tells(value):
                names = [part.sval for part in value.fields]
                source = scope.named(names[-2]) if len(names) > 1 else scope.only()
                return source or ("given", ".".join(names))
            case ast.ColumnRef() if len(value.fields) > 1:
                return ("column", RawStream()(value))
        return ("given", RawStream()(value))

    def _given(self, targets: Any, scope: Scope, place: int | None = None) -> Node | None:
        if place is not None and place < len(targets or ()) and not _is_everything(targets[0].val):
            return self._value(targets[place].val, scope)
        for target in targets or ():
            value = target.val
            if target.name in DISTRIBUTION or (target.name is None and _tells(value)):
                return self._value(value, scope)
            if _is_everything(value):
                everything = len(value.fields) == 1
                node = next(iter(scope.telling), None) if everything else scope.sources.get(value.fields[-2].sval)
                if node is not None:
                    return node
        return None

    def _nested(self, part: Any, scope: Scope) -> None:
        """The statements inside of an expression, wherever they are."""
        for one in _statements(part):
            if isinstance(one, ast.FuncCall):
                self._reach.deletes_anywhere |= one.funcname[-1].sval == "delete_some"
            else:
                self.statement(one, scope)


def _tells(value: Any) -> bool:
    """Whether it is a column that says whose a row is."""
    if isinstance(value, ast.TypeCast):
        return _tells(value.arg)
    last = value.fields[-1] if isinstance(value, ast.ColumnRef) else None
    return isinstance(last, ast.String) and last.sval in DISTRIBUTION


def _begins_telling(tree: Any) -> bool:
    """Whether the first part of a recursive query says whose the rows are: the second part reads that."""
    targets = tree.larg.targetList if tree.op else tree.targetList
    return any(target.name in DISTRIBUTION or _tells(target.val) for target in targets or ())


def _is_everything(value: Any) -> bool:
    return isinstance(value, ast.ColumnRef) and isinstance(value.fields[-1], ast.A_Star)


def _function_alias(item: Any) -> str:
    if item.alias is not None:
        return str(item.alias.aliasname)
    return str(item.functions[0][0].funcname[-1].sval)


def _statements(part: Any) -> Iterator[Any]:
    """The nearest statements in a tree, and calls of functions around them."""
    if isinstance(part, ast.SelectStmt | ast.InsertStmt | ast.UpdateStmt | ast.DeleteStmt):
        yield part
        return
    if isinstance(part, ast.FuncCall):
        yield part
    children = (
        part
        if isinstance(part, tuple)
        else [getattr(part, name) for name in part]
        if isinstance(part, ast.Node)
        else ()
    )
    for child in children:
        yield from _statements(child)
