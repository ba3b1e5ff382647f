"""A migration that takes something away from the release before says so."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg
import pytest

from passerelle.migrations.catalogue import Catalogue, catalogue
from passerelle.migrations.release import THIS
from passerelle.migrations.schema import migrate
from tests.integration.migrations.releases import up_to

COLUMN = re.compile(r"the column (?P<name>\S+) (?P<type>.*?)(?P<required> not null)?(?P<default> default .*)?$")


def taken_away(before: Catalogue, after: Catalogue) -> list[str]:
    """What processes that know only `before` may use, and would not find."""
    return sorted(
        f"{fact} of {table}"
        for table, facts in before.items()
        for fact in lost_columns(facts, after.get(table, set()))
        | {fact for fact in facts - after.get(table, set()) if fact.startswith(("the table", "the right"))}
    )


def lost_columns(before: set[str], after: set[str]) -> set[str]:
    """Columns that are gone, of another type, or have to be filled by whoever does not know that."""
    was = {found["name"]: found for found in map(COLUMN.match, before) if found}
    now = {found["name"]: found for found in map(COLUMN.match, after) if found}
    other = {name for name in was if name not in now or was[name]["type"] != now[name]["type"]}
    wanted = {name for name, found in now.items() if found["required"] and not found["default"]}
    filled = {name for name, found in was.items() if found["required"]}
    return {f"the column {name}" for name in other | (wanted - filled)}


async def state(url: str) -> Catalogue:
    connection = await asyncpg.connect(url)
    found = await catalogue(connection, "public")
    await connection.close()
    return found


async def test_every_migration_since_the_baseline_says_what_it_takes_away(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url, up_to(tmp_path / "baseline", THIS.migrations[0]))
    before = await state(empty_url)
    for migration in THIS.migrations[1:]:
        await migrate(empty_url, up_to(tmp_path / migration.name, migration))
        after = await state(empty_url)
        lost = taken_away(before, after)
        assert migration.breaks or not lost, f"{migration.name} needs `breaks`: it takes away {', '.join(lost)}"
        before = after


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("DROP TABLE theme", "the table of theme"),
        ("ALTER TABLE theme DROP COLUMN font", "the column font of theme"),
        ("ALTER TABLE theme RENAME COLUMN font TO face", "the column font of theme"),
        ("ALTER TABLE theme ALTER COLUMN font TYPE varchar(9)", "the column font of theme"),
        ("ALTER TABLE theme ALTER COLUMN name SET NOT NULL", "the column name of theme"),
        ("ALTER TABLE theme ADD COLUMN face text NOT NULL", "the column face of theme"),
        ("REVOKE UPDATE ON theme FROM passerelle_app", "the right of passerelle_app to UPDATE of theme"),
    ],
)
async def test_what_is_taken_away_is_seen(database_url: str, statement: str, lost: str) -> None:
    before = await state(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute(statement)
    await connection.close()
    assert lost in taken_away(before, await state(database_url))


async def test_what_is_added_takes_nothing_away(database_url: str) -> None:
    before = await state(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "ALTER TABLE theme ADD COLUMN face text NOT NULL DEFAULT 'x', ADD COLUMN more text, ALTER COLUMN font DROP NOT NULL;"
        "CREATE TABLE other (id uuid NOT NULL); CREATE INDEX other_id ON other (id)"
    )
    await connection.close()
    assert taken_away(before, await state(database_url)) == []
