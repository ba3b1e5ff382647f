"""Checks are found by themselves, and a plug-in that cannot be used says so by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from passerelle.engine.checks import Check, load_checks, warm_checks
from passerelle.engine.plugins import PluginError

PLUGIN = """
from passerelle.engine.checks import CheckResult, PureCheck

class Good(PureCheck):
    name = "good"
    source = "nothing"
    inputs = {"type": "object", "properties": {}}
    def run(self, inputs):
        return CheckResult("valid")

class Clash(Good):
    name = "iban"

class Nameless(PureCheck):
    def run(self, inputs):
        return CheckResult("valid")

class Unfinished(PureCheck):
    name = "unfinished"
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]  # a local helper
    """Puts a package with these entry points where Python finds it, as pip would."""

    def put(*entry_points: str) -> None:
        (tmp_path / "plugged.py").write_text(PLUGIN)
        info = tmp_path / "plugged-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[passerelle.checks]\n" + "\n".join(entry_points))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "plugged", raising=False)

    return put


def test_the_built_in_checks_are_found_by_their_files() -> None:
    assert {"company-number", "iban", "personal-number"} <= load_checks().keys()


@pytest.mark.parametrize("check", load_checks().values(), ids=lambda check: check.name)
def test_every_input_is_described_and_no_other_is_allowed(check: Check) -> None:
    """Editors show the descriptions, and a typing error in an input's name must not go unnoticed."""
    assert check.inputs["additionalProperties"] is False
    assert all(schema["description"] for schema in check.inputs["properties"].values())
    assert check.source


def test_warming_loads_what_first_runs_would_wait_for() -> None:
    from passerelle.engine.checks.company_number import NUMBERS, CompanyNumber
    from passerelle.engine.checks.numbers import load

    load.cache_clear()
    warm_checks(load_checks().values())
    before = load.cache_info().misses
    CompanyNumber().run({"type": "SIREN", "value": "780129987"})
    assert load.cache_info().misses == before
    assert before >= len({number.module for number in NUMBERS})


def test_another_package_adds_one(install) -> None:  # type: ignore[no-untyped-def]
    install("good = plugged:Good")
    assert load_checks()["good"].source == "nothing"


@pytest.mark.parametrize(
    ("entry_point", "message"),
    [
        ("iban = plugged:Clash", "the check iban comes from Passerelle itself and from plugged"),
        ("gone = plugged:Gone", "plugged (passerelle.checks: gone = plugged:Gone) does not load"),
        ("gone = gone:Good", "does not load: No module named 'gone'"),
        ("text = plugged:__name__", "is not a PureCheck or OutsideCheck"),
        ("unfinished = plugged:Unfinished", "is not a PureCheck or OutsideCheck with its `run`"),
        ("nameless = plugged:Nameless", "it has no name, inputs, source"),
        ("other = plugged:Good", "its name is good, not other"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_named(install, entry_point: str, message: str) -> None:  # type: ignore[no-untyped-def]
    install(entry_point)
    with pytest.raises(PluginError) as caught:
        load_checks()
    assert message in str(caught.value)
