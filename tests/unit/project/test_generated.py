"""What is generated is what the code says: nothing without a line of documentation, nothing out of date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from passerelle.app.reference import openapi_document
from passerelle.app.settings import Settings
from passerelle.definitions.compiler import compile_definition
from passerelle.engine.registry import load_kinds
from passerelle.kit.errors import CATALOGUE

ROOT = Path(__file__).parents[3]


def test_the_committed_reference_is_what_the_code_generates() -> None:
    """In a process of its own: codes that tests declare are none of the product's."""
    program = "from passerelle.app.reference import stale; print(*stale())"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert found == [], "run `make generate` and commit docs/reference"


def test_every_setting_and_error_code_is_explained() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    assert all(code.meaning.endswith((".", ":")) for code in CATALOGUE.values())


def test_every_endpoint_says_what_it_does() -> None:
    for path, operations in openapi_document()["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method.upper()} {path} has no docstring"


def snippets() -> list[tuple[str, str]]:
    """Every YAML block of the documentation that is a whole definition."""
    found = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("examples/*/*.md"))]:
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)):
            if re.search(r"^name:", text, re.MULTILINE) and re.search(r"^steps:", text, re.MULTILINE):
                found.append((f"{path.relative_to(ROOT)} #{number + 1}", text))
    return found


@pytest.mark.parametrize(("place", "text"), snippets(), ids=[place for place, _ in snippets()])
def test_every_definition_in_the_documentation_compiles(place: str, text: str) -> None:
    compiled = compile_definition(text, load_kinds())
    assert compiled.problems == (), f"{place}: {[str(problem) for problem in compiled.problems]}"


@pytest.mark.parametrize(
    "page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")], ids=str
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
