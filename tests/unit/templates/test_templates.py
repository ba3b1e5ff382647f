"""Every template is whole: it passes `check`, its scenarios go everywhere, both languages are there, and a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from passerelle.cli.check import check_files
from passerelle.cli.init import init
from passerelle.definitions.source import read_source
from passerelle.dev.examples import ROLES
from passerelle.engine.registry import load_kinds
from passerelle.kit.errors import CommandError
from passerelle.scenarios.coverage import coverage_of
from passerelle.scenarios.running import run_files
from passerelle.templates.library import ONBOARDINGS, TABLES, Onboarding, templates

SPOKEN = ("title", "text", "subject", "body", "label", "button", "hint", "description", "errorMessage")
"""The words behind which a definition or table has a text for people."""
ALL = pytest.mark.parametrize("one", templates(), ids=lambda one: one.name)


@pytest.fixture
def folder(one: Onboarding, tmp_path: Path) -> Path:
    """The files that `passerelle init` writes."""
    list(init(one.name, tmp_path / "new"))
    return tmp_path / "new"


def test_what_the_package_carries_is_listed_and_used() -> None:
    """A forgotten folder would be found by nobody, and a table of no template is no use."""
    assert {path.name for path in ONBOARDINGS.iterdir() if path.is_dir()} == {one.name for one in templates()}
    assert {path.stem for path in TABLES.iterdir()} == {table.body.name for one in templates() for table in one.tables}


@ALL
def test_it_passes_check_without_a_warning(one: Onboarding, folder: Path) -> None:
    problems, warnings, checked = check_files([folder], load_kinds())
    assert (problems, warnings, checked) == ([], [], 1 + len(one.tables))


@ALL
def test_its_scenarios_pass_and_go_through_every_step_and_branch(one: Onboarding, folder: Path) -> None:
    (outcome,) = run_files([folder / f"{one.name}.test.yaml"], load_kinds())
    assert outcome.problems == ()
    assert [one.scenario.name for one in outcome.outcomes if not one.passed] == []
    assert outcome.file is not None
    coverage = coverage_of(outcome.file.definition, [one.played for one in outcome.outcomes])
    assert (coverage.missed_steps, coverage.missed_branches) == ((), ())


@ALL
def test_each_text_is_there_in_both_languages(one: Onboarding) -> None:
    texts = [("definition", one.definition), *((table.body.name, table.text) for table in one.tables)]
    wrong = [f"{name}: {place}" for name, text in texts for place in _incomplete(read_source(text).value, "")]
    assert wrong == []
    assert one.title.keys() == one.text.keys() == {"en", "pl"}


@ALL
def test_it_asks_decides_tells_and_keeps(one: Onboarding) -> None:
    """What leaves one of these out is an example of a page, no onboarding."""
    document = read_source(one.definition).value
    kinds = {kind for step in document["steps"] for kind in step}
    assert kinds >= {"consent", "review", "email", "record"}
    assert document.keys() >= {"title", "start", "record", "expiresAfter", "result"}


@ALL
def test_its_reviews_are_decided_by_roles_that_the_demo_has(one: Onboarding) -> None:
    """Or whoever tries it stands before a decision that nobody may take."""
    roles = [step["review"]["assignTo"] for step in read_source(one.definition).value["steps"] if "review" in step]
    assert set(roles) <= set(ROLES)


@ALL
def test_its_picture_is_small(one: Onboarding) -> None:
    assert one.picture.stat().st_size < 30_000
    with Image.open(one.picture) as picture:
        assert picture.format == "WEBP"
        assert picture.height > picture.width >= 300


@ALL
def test_files_that_are_there_are_not_overwritten(one: Onboarding, folder: Path) -> None:
    file = folder / f"{one.name}.yaml"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(CommandError, match=f"{one.name}.yaml is there"):
        list(init(one.name, folder))
    assert file.read_text(encoding="utf-8") == "mine"


def _incomplete(part: Any, place: str) -> Iterator[str]:
    """The places where a text lacks a language, or says in Polish what it says in English."""
    if isinstance(part, list):
        for number, inner in enumerate(part):
            yield from _incomplete(inner, f"{place}/{number}")
    elif isinstance(part, dict):
        for name, inner in part.items():
            if name in SPOKEN and not (isinstance(inner, dict) and ("type" in inner or "oneOf" in inner)):
                yield from _untranslated(inner, f"{place}/{name}")
            elif name not in ("set", "create", "update", "upsert", "find", "prefill", "with"):
                yield from _incomplete(inner, f"{place}/{name}")


def _untranslated(text: Any, place: str) -> Iterator[str]:
    if not isinstance(text, dict) or text.keys() != {"en", "pl"} or not all(text.values()):
        yield f"{place} is not there in both languages"
    elif text["en"] == text["pl"] and len(text["en"]) > 10:
        yield f"{place} says the same in both"
