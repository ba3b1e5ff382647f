"""Tells the outcome of scenarios on a terminal: a line each, and what is different where one fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from rich.console import Console
from rich.text import Text

from passerelle.kit.json import Json, dumps
from passerelle.scenarios.comparing import Mismatch
from passerelle.scenarios.coverage import Coverage, coverage_of
from passerelle.scenarios.models import Unset
from passerelle.scenarios.running import FileOutcome, ScenarioOutcome


def report(files: Iterable[FileOutcome], console: Console, *, coverage: bool = False) -> bool:
    """Print every outcome as it comes, then the summary. Whether everything passed."""
    done: list[FileOutcome] = []
    for file in files:
        done.append(file)
        for line in _file_lines(file, coverage=coverage):
            console.print(line, soft_wrap=True, highlight=False)
    console.print(_summary(done), soft_wrap=True, highlight=False)
    return all(file.passed for file in done)


def _file_lines(file: FileOutcome, *, coverage: bool) -> Iterator[Text]:
    yield Text(str(file.path), "bold")
    for problem in file.problems:
        yield Text.assemble("  ", ("✗ ", "red"), problem)
    for outcome in file.outcomes:
        yield from _outcome_lines(file, outcome)
    if coverage and file.file is not None:
        yield from _coverage_lines(coverage_of(file.file.definition, [outcome.played for outcome in file.outcomes]))


def _outcome_lines(file: FileOutcome, outcome: ScenarioOutcome) -> Iterator[Text]:
    took = f" {outcome.seconds * 1000:.0f} ms"
    if outcome.passed:
        yield Text.assemble("  ", ("✓ ", "green"), outcome.scenario.name, (took, "dim"))
        return
    place = f"  {file.path}:{outcome.scenario.line}"
    yield Text.assemble("  ", ("✗ ", "red"), (outcome.scenario.name, "bold"), (took, "dim"), (place, "dim"))
    for problem in outcome.played.problems:
        yield Text(f"      {problem}")
    for difference in outcome.differences:
        yield from _difference_lines(difference)


def _difference_lines(difference: Mismatch) -> Iterator[Text]:
    expected, actual = difference.expected, difference.actual
    if difference.where == "path" and isinstance(expected, list) and isinstance(actual, list):
        yield Text.assemble("      path: ", _path(expected, actual))
        return
    yield Text.assemble(f"      {difference.where}: expected ", (_value(expected), "green"))
    indent = " " * (len(difference.where) + 2)
    yield Text.assemble(f"      {indent}but was  ", (_value(actual), "red"))


def _path(expected: list[str], actual: list[str]) -> Text:
    """Both in one line: `-` stands before what did not run, `+` before what ran and was not to."""
    parts: list[Text] = []
    for tag, begin, end, from_, to in SequenceMatcher(None, expected, actual, autojunk=False).get_opcodes():
        if tag == "equal":
            parts += [Text(step) for step in expected[begin:end]]
        else:
            parts += [Text(f"-{step}", "red") for step in expected[begin:end]]
            parts += [Text(f"+{step}", "green") for step in actual[from_:to]]
    return Text(" → ").join(parts)


def _value(value: Json | Unset) -> str:
    return "nothing" if isinstance(value, Unset) else dumps(value)


def _coverage_lines(coverage: Coverage) -> Iterator[Text]:
    steps, branches = coverage.steps - len(coverage.missed_steps), coverage.branches - len(coverage.missed_branches)
    line = f"  coverage: {steps} of {coverage.steps} steps ({_percent(steps, coverage.steps)})"
    if coverage.branches:
        line += f", {branches} of {coverage.branches} branches of `switch` ({_percent(branches, coverage.branches)})"
    yield Text(line)
    if coverage.missed_steps:
        yield Text(f"      not run: {', '.join(coverage.missed_steps)}", "yellow")
    for branch in coverage.missed_branches:
        yield Text(f"      not taken: {branch}", "yellow")


def _percent(part: int, whole: int) -> str:
    # Rounded down: 100 % means everything.
    return f"{part * 100 // whole} %"


def _summary(files: list[FileOutcome]) -> Text:
    outcomes = [outcome for file in files for outcome in file.outcomes]
    passed = sum(outcome.passed for outcome in outcomes)
    failed = len(outcomes) - passed
    text = Text.assemble((f"{passed} passed", "green"), ", ", (f"{failed} failed", "red" if failed else ""))
    if unusable := sum(1 for file in files if file.problems):
        text.append(f", {unusable} {'file' if unusable == 1 else 'files'} with mistakes", "red")
    return text
