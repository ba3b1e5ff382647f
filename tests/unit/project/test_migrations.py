"""Migrations made side by side cannot branch: their numbers are the only order."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.migrations.order import VERSIONS, before, numbers


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("[0-9]*_*.py")), ids=lambda path: path.stem)
def test_a_migration_follows_the_one_with_the_number_before(path: Path) -> None:
    text = path.read_text()
    assert f'revision = "{path.name.split("_", 1)[0]}"' in text
    assert "down_revision = before(revision)" in text, "write `from passerelle.migrations.order import before`"


def test_no_number_is_used_twice() -> None:
    assert len(set(numbers())) == len(numbers())
    assert [before(number) for number in numbers()] == [None, *numbers()[:-1]]
