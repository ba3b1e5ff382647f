"""The table of ASVS has each requirement once, and leads to what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "docs" / "security"
LINES = re.findall(r"^\| (V\d+\.\d+\.\d+) \| ([^|]+) \| (.+) \|$", (FOLDER / "asvs.md").read_text(), re.MULTILINE)
LEVEL_1_AND_2 = 253
"""Requirements of version 5.0.0."""


def test_each_requirement_is_there_once() -> None:
    numbers = [number for number, _, _ in LINES]
    assert len(numbers) == len(set(numbers)) == LEVEL_1_AND_2
    assert all(what.strip() and held.strip() for _, what, held in LINES)


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.name)
def test_what_is_linked_exists(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert links
    for link in links:
        assert (FOLDER / link).exists(), link
