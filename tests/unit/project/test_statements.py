"""What statements have to have, besides their workspace (`test_reach`): the sight of their caller, one place for what is appended."""

from __future__ import annotations

import ast
import re

from tests.unit.project.sql import MIGRATIONS, SOURCE, constants_of, module_of, texts

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
        constants = constants_of(path)
        for part in ast.walk(module_of(path)):
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
