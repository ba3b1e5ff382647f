"""The SQL of the code and of the database's functions, read by PostgreSQL's own grammar."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, product
from pathlib import Path
from typing import Any

import pglast
from pglast.stream import RawStream

SOURCE = Path(__file__).parents[3] / "src" / "passerelle"
MIGRATIONS = SOURCE / "migrations"
PUT_IN_TABLE = "put_in"
"""Stands where the table itself is not known: it is taken for one of workspaces."""
_PUT_IN = (
    "true",
    PUT_IN_TABLE,
    "",
    "NULL",
    "AND true",
    ", put_in",
    "1",
    "LEFT JOIN nothing ON true",
    "SELECT 1 AS workspace_id",
)
"""What a part that is not known here may be: one of these makes a statement of it. It is read where it is written."""
_AROUND = (
    "{}",
    "SELECT 1 WHERE ({})",
    "SELECT {}",
    "SELECT 1 FROM {}",
    "SELECT 1 {}",
    "UPDATE nothing d {}",
    "WITH e AS (SELECT 1 AS id), next_job AS (SELECT 1 AS id) {} SELECT 1",
)
"""What a part of a statement stands in, so that it can be read by itself."""


def tables() -> frozenset[str]:
    """Every table of workspaces that the migrations make."""
    texts = [path.read_text(encoding="utf-8") for end in ("*.py", "*.sql") for path in MIGRATIONS.rglob(end)]
    made = re.compile(r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(?:public\.)?(\w+)\s*(?=\()")
    return frozenset(
        found[1]
        for text in texts
        for found in made.finditer(text)
        if re.search(r"(?<!\w)workspace_id +uuid NOT NULL", in_brackets(text[found.end() :]))
    )


def in_brackets(text: str) -> str:
    """What the bracket that `text` begins with encloses."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[:place]
    return text


def text_of(node: ast.expr, constants: Mapping[str, str]) -> str | None:
    """The constant parts of a text, wherever it is put together; None for what is none."""
    if isinstance(node, ast.Name):
        return constants.get(node.id)
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, constants) or "…" for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value, constants)
    if isinstance(node, ast.IfExp):
        return text_of(node.body, constants) or text_of(node.orelse, constants)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left, constants), text_of(node.right, constants)
        return None if left is None and right is None else f"{left or '…'}{right or '…'}"
    return None


@lru_cache
def module_of(path: Path) -> ast.Module:
    """A file of the code."""
    return ast.parse(path.read_text(encoding="utf-8"))


@lru_cache
def constants_of(path: Path) -> Mapping[str, str]:
    """A module's texts by name, its own and those of other modules, which others of its texts are put together from."""
    found: dict[str, str] = {}
    for node in module_of(path).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("passerelle."):
            found |= _imported(node)
        targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else []
        target = node.target if isinstance(node, ast.AnnAssign) else next(iter(targets), None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and value is not None and (text := text_of(value, found)) is not None:
            found[target.id] = text
    return found


def _imported(node: ast.ImportFrom) -> dict[str, str]:
    """Constants are the names in capitals: only for those another module is read."""
    path = SOURCE.joinpath(*str(node.module).split(".")[1:]).with_suffix(".py")
    wanted = {name.name: name.asname or name.name for name in node.names if name.name.isupper()}
    if not wanted or not path.is_file():
        return {}
    there = constants_of(path)
    return {mine: there[name] for name, mine in wanted.items() if name in there}


def texts(node: ast.AST, constants: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """The texts below a node, each as a whole."""
    if isinstance(node, ast.expr) and (text := text_of(node, constants)) is not None:
        yield node.lineno, text
        return
    for child in ast.iter_child_nodes(node):
        yield from texts(child, constants)


@dataclass(frozen=True)
class Statement:
    """One statement, or a part of one, as it stands somewhere."""

    where: str
    """The file, and the function or constant that it stands in; for a function of the database its name."""
    tree: Any


class UnreadableError(Exception):
    """PostgreSQL could not read it, whatever is put in for what is not known."""


def statements_of_code() -> Iterator[Statement]:
    """Every statement of the code that touches a table of workspaces."""
    touches = _touching(tables())
    for path in sorted(SOURCE.rglob("*.py")):
        if MIGRATIONS in path.parents:
            continue
        for top in module_of(path).body:
            for part in top.body if isinstance(top, ast.ClassDef) else [top]:
                where = f"{path.relative_to(SOURCE).as_posix()}: {_name(part)}"
                for _, text in texts(part, constants_of(path)):
                    if touches.search(text):
                        yield from (Statement(where, tree) for tree in read(text))


def statements_of_functions() -> Iterator[Statement]:
    """Every statement of the database's functions."""
    for path in sorted((MIGRATIONS / "functions").glob("*.sql")):
        made = [one.stmt for one in pglast.parse_sql(path.read_text(encoding="utf-8"))]
        functions: list[Any] = [one for one in made if isinstance(one, pglast.ast.CreateFunctionStmt)]
        for function in functions:
            name = function.funcname[-1].sval
            options = {option.defname: option.arg for option in function.options}
            if options["language"].sval == "sql":
                body = options["as"][0].sval
                yield from (Statement(name, one.stmt) for one in pglast.parse_sql(body))
            else:
                yield from (Statement(name, tree) for tree in _of_plpgsql(function))


def _of_plpgsql(function: Any) -> Iterator[Any]:
    source = RawStream()(function)
    for found in re.finditer(r'"query": ?("(?:[^"\\]|\\.)*")', json.dumps(pglast.parse_plpgsql(source))):
        query = json.loads(found[1])
        yield from read(query.partition(":=")[2] or query)


@cache
def read(text: str) -> tuple[Any, ...]:
    """The statements of a text. Parts that are not known are put in; a part of a statement gets one around it.

    Raises `UnreadableError`.
    """
    names: dict[str, int] = {}
    text = re.sub(r"(?<!:):([a-z_]+)", lambda name: f"${names.setdefault(name[1], len(names) + 1)}", text)
    parts = re.split(r"…+|\{\w*\}", text)
    unknown = len(parts) - 1
    same = ([one] * unknown for one in _PUT_IN)
    fillings = list(chain(same, product(_PUT_IN, repeat=unknown) if 1 < unknown <= 3 else ())) if unknown else [[]]
    for around in _AROUND:
        for filling in fillings:
            whole = "".join(f"{part} {put} " for part, put in zip(parts, [*filling, ""], strict=True))
            try:
                return tuple(one.stmt for one in pglast.parse_sql(around.replace("{}", whole)))
            except pglast.parser.ParseError:
                continue
    raise UnreadableError(" ".join(text.split()))


def _touching(known: frozenset[str]) -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:FROM|JOIN|UPDATE|INTO|USING)\s+(?:ONLY\s+)?(?:({'|'.join(sorted(known))})\b|\{{(?:table|relation)\}})"
    )


def _name(part: ast.AST) -> str:
    target = part.targets[0] if isinstance(part, ast.Assign) else getattr(part, "target", None)
    return str(getattr(part, "name", None) or getattr(target, "id", "its texts"))
