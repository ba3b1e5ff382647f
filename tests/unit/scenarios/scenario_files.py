"""A definition and its scenarios as files, and what comes of them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from textwrap import dedent

from rich.console import Console

from passerelle.definitions.kinds import KindRegistry
from passerelle.engine.registry import load_kinds
from passerelle.scenarios.report import report
from passerelle.scenarios.running import FileOutcome, ScenarioOutcome, run_files


@cache
def kinds() -> KindRegistry:
    """Every step kind."""
    return load_kinds()


def run(folder: Path, definition: str, scenarios: str) -> FileOutcome:
    """Run the scenarios of one definition."""
    (folder / "a.yaml").write_text("name: a\n" + dedent(definition), encoding="utf-8")
    (folder / "a.test.yaml").write_text(dedent(scenarios), encoding="utf-8")
    return next(run_files([folder / "a.test.yaml"], kinds()))


def outcome(folder: Path, definition: str, scenario: str) -> ScenarioOutcome:
    """Run one scenario, which must be well written; `scenario` is what stands under its name."""
    text = "scenarios:\n  - name: one\n" + "".join(f"    {line}\n" for line in dedent(scenario).strip().splitlines())
    file = run(folder, definition, text)
    assert file.problems == ()
    return file.outcomes[0]


def differences(folder: Path, definition: str, scenario: str) -> list[tuple[str, object, object]]:
    """What came out otherwise in one scenario."""
    found = outcome(folder, definition, scenario)
    assert found.played.problems == ()
    return [(difference.where, difference.expected, difference.actual) for difference in found.differences]


def problems(folder: Path, definition: str, scenarios: str) -> list[str]:
    """What is wrong with a file of scenarios, without the name of its folder."""
    return [problem.removeprefix(f"{folder}/") for problem in run(folder, definition, scenarios).problems]


def printed(*files: FileOutcome, coverage: bool = False) -> str:
    """What a terminal shows, without colours and times."""
    console = Console(file=io.StringIO(), width=200, no_color=True)
    report(files, console, coverage=coverage)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
