"""Migrations are one line, each naming the one before it: none can be skipped, and two made side by side cannot both land."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from passerelle.migrations.baseline import statements
from passerelle.migrations.database_functions import parts
from passerelle.migrations.release import THIS, LineError, SchemaMigration, line
from passerelle.webhooks.schedule import QUICK_TRIES


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def test_the_migrations_of_this_release_are_one_line_from_the_baseline() -> None:
    files = {path.stem for folder in THIS.versions for path in folder.glob("*.py")}
    assert THIS.migrations[0].name == "baseline"
    assert {one.name for one in THIS.migrations} == files
    assert [one.follows for one in THIS.migrations] == [None, *(one.name for one in THIS.migrations[:-1])]


def test_the_name_of_a_migration_orders_nothing() -> None:
    made = [SchemaMigration("0900_first", None, None), SchemaMigration("0100_second", "0900_first", None)]
    assert [one.name for one in line(reversed(made))] == ["0900_first", "0100_second"]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (SchemaMigration("b", None, None), "a and b both follow None"),
        (SchemaMigration("b", "lost", None), "no migration leads there: b follows lost"),
        (SchemaMigration("b", "b", None), "no migration leads there: b follows b"),
    ],
    ids=["branch", "gap", "ring"],
)
def test_what_is_no_line_is_refused_by_name(second: SchemaMigration, said: str) -> None:
    with pytest.raises(LineError, match=said):
        line([SchemaMigration("a", None, None), second])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('revision = "0100_x"\ndown_revision = before(revision)\n', "write `down_revision` as a literal"),
        ('revision = "0100_x"\ndown_revision = 7\n', "write `down_revision` as a literal"),
        ('revision = "0100_y"\ndown_revision = "baseline"\n', 'write `revision = "0100_x"`'),
        ('revision = "0100_x"\n', "name the migration before it"),
    ],
    ids=["computed", "number", "other name", "no predecessor"],
)
def test_a_file_that_does_not_say_what_it_follows_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LineError, match=re.escape(said)):
        SchemaMigration.read(written(tmp_path, "0100_x", text))


def test_a_migration_says_what_it_breaks(tmp_path: Path) -> None:
    text = 'revision = "0100_x"\ndown_revision = "baseline"\nbreaks = "names are read from another table"\n'
    assert SchemaMigration.read(written(tmp_path, "0100_x", text)).breaks == "names are read from another table"


def test_functions_are_written_in_their_files_alone() -> None:
    """A function inside a migration would stay as it was, whatever its file says later."""
    for folder in THIS.versions:
        for path in folder.iterdir():
            if path.suffix in (".py", ".sql"):
                made = re.search(r"CREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|TRIGGER|PROCEDURE)", path.read_text(), re.I)
                assert made is None, f"{path.name}: put it into a file of migrations/functions"


SMALL = {"workspace": "one row for each", "app_user": "people who sign in", "pgqueuer": "what is done is not in it"}
"""Tables that are never full, and why: an index on them is made in no time."""


def test_an_index_on_a_table_that_may_be_full_is_made_beside_those_who_use_it() -> None:
    """`CREATE INDEX` locks out everybody who writes, for as long as it takes."""
    plain = re.compile(r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(\w+)\s+ON\s+(\w+)")
    seen = 0
    for path in (path for folder in THIS.versions for path in folder.glob("[0-9]*.py")):
        text = path.read_text()
        made = set(re.findall(r"CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(\w+)", text)) | SMALL.keys()
        for name, table in plain.findall(text):
            seen += 1
            assert table in made, f"{path.name}: make {name} with `index` of passerelle.migrations.online"
    assert seen > 5


def test_no_function_is_written_twice_or_runs_with_a_path_of_its_caller() -> None:
    heads = re.findall(r"^CREATE OR REPLACE FUNCTION (\w+)\((.*?) AS \$\$", THIS.sql, re.M | re.S)
    assert sorted({name for name, _ in heads}) == sorted(name for name, _ in heads)
    for name, head in heads:
        if "SECURITY DEFINER" in head:
            assert "SET search_path = public, pg_temp" in head, name


def test_every_trigger_is_told_from_the_functions_around_it() -> None:
    functions, triggers = parts(THIS)
    assert functions.count("CREATE OR REPLACE FUNCTION") == THIS.sql.count("CREATE OR REPLACE FUNCTION")
    assert "TRIGGER" not in re.sub(r"RETURNS trigger", "", functions)
    assert len(triggers) == THIS.sql.count("CREATE OR REPLACE TRIGGER")


def test_the_database_counts_the_first_tries_of_a_delivery_as_the_schedule_does() -> None:
    index = next(text for _, text in statements() if "webhook_delivery_first" in text)
    assert f"tries < {QUICK_TRIES}" in index
    assert f"p.tries < {QUICK_TRIES}" in THIS.sql
