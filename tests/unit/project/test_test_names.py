"""Test modules are imported by their bare names: two of one name hide each other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path


def test_no_two_test_modules_have_the_same_name() -> None:
    names = Counter(path.name for path in Path(__file__).parents[2].rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
