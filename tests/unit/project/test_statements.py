"""Every statement that touches a table of workspaces names the workspace, whatever row-level security adds to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "src" / "passerelle"
MIGRATIONS = SOURCE / "migrations"

ELSEWHERE = {
    "SELECT r.id, … FROM record r WHERE … ORDER BY r.id LIMIT …": "the first of its conditions",
    "SELECT … FROM record r WHERE … OFFSET 0": "the first of its conditions",
}
"""Statements whose workspace cannot be seen here, by how they begin, and where it is."""


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
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left, constants), text_of(node.right, constants)
        return None if left is None and right is None else f"{left or '…'}{right or '…'}"
    return None


def constants_of(module: ast.Module) -> dict[str, str]:
    """The module's own texts by name, which others of its texts are put together from."""
    found: dict[str, str] = {}
    for node in module.body:
        targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else []
        target = node.target if isinstance(node, ast.AnnAssign) else next(iter(targets), None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and value is not None and (text := text_of(value, found)) is not None:
            found[target.id] = text
    return found


def texts(node: ast.AST, constants: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """The texts below a node, each as a whole."""
    if isinstance(node, ast.expr) and (text := text_of(node, constants)) is not None:
        yield node.lineno, text
        return
    for child in ast.iter_child_nodes(node):
        yield from texts(child, constants)


def test_every_statement_names_its_workspace() -> None:
    """Row-level security stands behind that; it is not the only thing that keeps workspaces apart."""
    known = tables()
    assert len(known) > 30
    touches = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:ONLY\s+)?({'|'.join(sorted(known))})\b")
    missing, seen = [], 0
    for path in sorted(SOURCE.rglob("*.py")):
        if MIGRATIONS in path.parents:
            continue
        module = ast.parse(path.read_text(encoding="utf-8"))
        for line, text in texts(module, constants_of(module)):
            if touches.search(text) is None:
                continue
            seen += 1
            if "workspace_id" not in text and " ".join(text.split())[:60] not in ELSEWHERE:
                missing.append(f"{path.relative_to(SOURCE)}:{line}: {' '.join(text.split())[:60]!r}")
    assert seen > 100
    assert not missing, "\n".join(missing)


SEEN = frozenset({"record", "record_change", "record_comment", "attachment"})
"""The tables that a caller may see in part."""
SCOPED = ("seen_sql", "condition_sql", "searched_by", "done_by", "rows_read", "conjuncts")
"""What puts the caller's sight into a statement; it is among the conditions of a search."""
SEEN_ALREADY = {
    "records/history.py": "of a record that was read before, or narrowed by `seen_records`",
    "records/attachments.py": "of a record that was read before",
    "records/merging.py": "of records that were read before, or a job's",
    "records/relations.py": "of files, and attachments of the record that is written",
    "records/erasing.py": "who may erase sees everything",
    "records/purging.py": "a job's",
    "records/shown.py": "a job's, for webhooks",
    "records/personal.py": "values that are to be hidden",
    "records/relocation/repository.py": "a command's, or the place of a record that is read by `RecordRepository.find`",
    "records/relocation/checking.py": "a command's",
    "v1/cases/migrate_command.py": "a command's",
    "reviews/repository.py": "who changed what a review is about: names of fields, no values",
    "tables/repository.py": "whether a table is empty, for who changes tables",
    "workflows/erasing.py": "who may erase sees everything",
    "workflows/removing.py": "a job's",
    "holds/repository.py": "whether something is there, for who may hold anything; no values",
}
"""Files whose statements read only what the caller sees, or that nobody calls for a caller, and why."""
IN_REPOSITORY = ("_LOCK", "_MERGED", "_KNOWN_AS", "_FORWARD_ON", "_HOLDERS", "_INSERT", "_UPDATE", "_ATTACH")
"""Statements of `RecordRepository` on records that were read before, and on the values of unique fields."""
OF_JOBS = ("next_to_index",)
"""Its functions whose statements jobs use."""


def test_every_statement_on_records_has_the_callers_sight() -> None:
    """A new one either has it, or stands in a file that is listed with the reason why it needs none."""
    touches = re.compile(rf"\b(?:FROM|JOIN)\s+({'|'.join(SEEN)})\b")
    blind, seen = [], 0
    for path in sorted(SOURCE.rglob("*.py")):
        name = str(path.relative_to(SOURCE))
        if MIGRATIONS in path.parents or name in SEEN_ALREADY:
            continue
        module = ast.parse(path.read_text(encoding="utf-8"))
        constants = constants_of(module)
        for part in ast.walk(module):
            if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if not any(touches.search(text) for _, text in texts(part, constants)):
                continue
            seen += 1
            listed = name == "records/repository.py" and (part.name in OF_JOBS or _uses(part, IN_REPOSITORY))
            if not listed and not _uses(part, SCOPED) and not _is_given_conditions(part):
                blind.append(f"{name}:{part.lineno}: {part.name}")
    assert seen > 5
    assert not blind, "\n".join(blind)


def _uses(function: ast.AST, names: tuple[str, ...]) -> bool:
    return any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(function))


def _is_given_conditions(function: ast.AST) -> bool:
    """Parts of a search's statement: `statement` has put the conditions together."""
    return isinstance(function, ast.FunctionDef) and "residual" in {one.arg for one in function.args.args}


def test_jobs_and_events_are_written_in_one_place_each() -> None:
    """Whoever appends an event or enqueues a job does it by the one function, or the one beginning of a statement."""
    writes = re.compile(r"INSERT INTO (event|pgqueuer)\b")
    found = {
        (path.relative_to(SOURCE).as_posix(), match[1])
        for path in SOURCE.rglob("*.py")
        if MIGRATIONS not in path.parents
        for match in writes.finditer(path.read_text(encoding="utf-8"))
    }
    assert found == {("kit/event_log.py", "event"), ("kit/jobs.py", "pgqueuer")}


def test_what_is_asked_on_any_connection_looks_across_workspaces_by_itself() -> None:
    """Such a connection serves whomever it served last: only a function of the owner's sees the same on each."""
    asked = {
        found[1]
        for path in SOURCE.rglob("*.py")
        for found in re.finditer(r'\bdatabase\.ask\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    made = "".join(path.read_text(encoding="utf-8") for path in (MIGRATIONS / "functions").glob("*.sql"))
    assert "find_end_user_session" in asked
    for name in asked:
        declared = re.search(rf"FUNCTION {name}\(.*?\$\$", made, re.DOTALL)
        assert declared is not None, name
        assert "SECURITY DEFINER" in declared[0], name
