"""Every definition in the guides compiles, and every kind is told of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from passerelle.definitions.compiler import compile_definition
from passerelle.engine.registry import load_kinds

GUIDES = Path(__file__).parents[3] / "docs/guides"
KINDS = load_kinds()


def snippets() -> list[tuple[str, str]]:
    """Every YAML block with a name and steps, by the guide and the name."""
    blocks = [
        (guide.stem, block)
        for guide in sorted(GUIDES.glob("*.md"))
        for block in re.findall(r"^```yaml\n(.*?)^```", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    ]
    return [
        (f"{guide}: {name[1]}", block)
        for guide, block in blocks
        if (name := re.search(r"^name: (\S+)", block, re.MULTILINE)) and "\nsteps:" in block
    ]


def test_the_guide_for_writing_has_definitions() -> None:
    assert sum(name.startswith("writing-definitions") for name, _ in snippets()) >= 4


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in snippets()])
def test_a_guide_s_definition_compiles(text: str) -> None:
    assert compile_definition(text, KINDS).problems == ()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_told_of(kind: str) -> None:
    assert re.search(rf"(`{kind}`|\b{kind}:)", (GUIDES / "writing-definitions.md").read_text(encoding="utf-8"))
