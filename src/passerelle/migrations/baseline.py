"""The baseline's statements, each with the table that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from passerelle.kit.connections import APP_ROLE
from passerelle.migrations.release import FOLDER
from passerelle.migrations.tenancy import isolation

_FILE: Final = FOLDER / "versions" / "baseline.sql"
_MADE: Final = re.compile(r"^CREATE TABLE (\w+)", re.M)
_ABOUT: Final = re.compile(
    r"^(?:CREATE TABLE|CREATE (?:UNIQUE )?INDEX \w+ ON|COMMENT ON (?:TABLE|COLUMN)|ALTER TABLE) (\w+)", re.M
)
WRITTEN_ONCE: Final = ("revision", "publication", "name_list_version")
"""Their rows never change: executions are pinned to revisions, and old results name versions of lists."""


def statements() -> Iterator[tuple[str, str]]:
    """Every statement, in an order in which they can be run, and the table that it is about."""
    text = re.sub(r"^--.*\n", "", _FILE.read_text(encoding="utf-8"), flags=re.M)
    for statement in text.split(";\n"):
        if statement.strip():
            about = _ABOUT.search(statement)
            assert about is not None, statement
            yield about[1], statement
    for table in _MADE.findall(text):
        for statement in isolation(table):
            yield table, statement
    for table in WRITTEN_ONCE:
        yield table, f"REVOKE UPDATE, DELETE ON {table} FROM {APP_ROLE}"
