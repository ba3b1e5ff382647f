"""Decisions have one number each, and the index names them all."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))


def test_no_number_is_used_twice_and_each_page_begins_with_its_own() -> None:
    numbers = [page.name[:4] for page in PAGES]
    assert len(set(numbers)) == len(numbers), f"numbers are used once: {numbers}"
    for page in PAGES:
        assert re.match(rf"# {page.name[:4]}: \S", page.read_text(encoding="utf-8")), f"{page.name}: `# NUMBER: Title`"


def test_the_index_names_every_decision_in_order() -> None:
    wanted = []
    for page in PAGES:
        number, _, title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").partition(": ")
        wanted.append(f"| {number} | [{title}]({page.name}) |")
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \d.*$", index, re.MULTILINE) == wanted, "write these lines into docs/decisions/README.md"
