"""`docs/reference/checks.md` has every check, with its inputs, its reasons and an example of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from passerelle.definitions.compiler import compile_definition
from passerelle.engine.checks import Check, load_checks
from passerelle.engine.registry import load_kinds
from passerelle.engine.steps.check import CheckConfig

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/reference/checks.md").read_text(encoding="utf-8")
CHECKS = {
    name: check for name, check in load_checks().items() if type(check).__module__.startswith("passerelle.engine")
}


def section(name: str) -> str:
    """The page's part under a check's heading."""
    return re.split(r"^## ", PAGE.partition(f"\n## {name}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_section_lists_exactly_the_checks_inputs(check: Check) -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", section(check.name), re.MULTILINE)) == set(check.inputs["properties"])


@pytest.mark.parametrize("name", CHECKS)
def test_a_section_has_an_example_that_compiles_and_uses_the_check(name: str) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", section(name), re.DOTALL)
    compiled = compile_definition(example, load_kinds())
    assert compiled.problems == ()
    assert compiled.definition is not None
    configs = [step.config for step in compiled.definition.steps if isinstance(step.config, CheckConfig)]
    assert [config.check.name for config in configs] == [name]


def codes() -> set[str]:
    """The reasons that checks have."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/passerelle/engine/checks").glob("*.py"))
    found = set(re.findall(r'(?:Reason|\.reason|UnreadableZone|_unknown)\(\s*"([A-Z_]+)"', sources))
    assert len(found) > 25, "the expression above still finds them"
    return found


def test_every_reason_is_explained() -> None:
    assert {code for code in codes() if f"`{code}`" not in PAGE} == set()


@pytest.mark.parametrize("language", ["en", "pl"])
def test_reviewers_read_each_reason_in_their_language(language: str) -> None:
    """A section's reasons have words for that check, or for all checks of numbers."""
    texts = json.loads((ROOT / f"web/src/texts/{language}/reviews.json").read_text(encoding="utf-8"))["reason"]
    for name in CHECKS:
        of_numbers = ["number"] if name in ("company-number", "personal-number", "company-register") else []
        said = {key.removesuffix("_other") for part in (name, *of_numbers) for key in texts.get(part, {})}
        assert {code for code in codes() if f"`{code}`" in section(name)} <= said, name


def test_the_table_of_contents_names_every_check() -> None:
    assert set(re.findall(r"^\| \[`([a-z-]+)`\]", PAGE, re.MULTILINE)) == set(CHECKS)
