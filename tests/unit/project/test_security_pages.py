"""The table of ASVS has each requirement once, and leads to what is there: each test by its file and its functions."""

from __future__ import annotations

import ast
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


NAMED = re.compile(r"\[`?(?P<shown>test_\w+\.py)`?\]\((?P<path>[^)#]+)\)(?P<functions>(?:,? `test_\w+`)*)")
"""A link to a file of tests, and behind it those of its functions that hold the line."""
HELD = [(number, held) for number, _, held in LINES if "/tests/" in held or "test_" in held]


def functions_of(path: Path) -> set[str]:
    """The tests that pytest finds in a file."""
    told = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        one.name
        for one in told
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one.name.startswith("test_")
    }


@pytest.mark.parametrize(("number", "held"), HELD, ids=[number for number, _ in HELD])
def test_each_test_that_holds_a_line_is_named_and_there(number: str, held: str) -> None:
    for found in NAMED.finditer(held):
        path = (FOLDER / found["path"]).resolve()
        assert path.name == found["shown"]
        named = re.findall(r"`(test_\w+)`", found["functions"])
        assert named, f"say which tests of {path.name} hold it"
        assert set(named) <= functions_of(path), f"not in {path.name}: {set(named) - functions_of(path)}"
    assert "test_" not in NAMED.sub("", held), "name the file, as a link, and behind it its functions"


def test_a_test_of_another_file_is_no_test_of_the_line() -> None:
    held = "so it is: [`test_security_pages.py`](../../tests/unit/project/test_security_pages.py) `test_that_is_gone`"
    with pytest.raises(AssertionError, match="test_that_is_gone"):
        test_each_test_that_holds_a_line_is_named_and_there("V0.0.0", held)
    with pytest.raises(AssertionError, match="say which tests"):
        test_each_test_that_holds_a_line_is_named_and_there("V0.0.0", held.partition(" `test_that")[0])
