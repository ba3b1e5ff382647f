"""Runs files of scenarios."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from passerelle.definitions.kinds import KindRegistry
from passerelle.scenarios.comparing import Mismatch, compare
from passerelle.scenarios.models import Scenario, ScenarioFile
from passerelle.scenarios.playing import Played, play
from passerelle.scenarios.reading import read_file


@dataclass(frozen=True, slots=True)
class ScenarioOutcome:
    """What came of one scenario."""

    scenario: Scenario
    played: Played
    differences: tuple[Mismatch, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        return not self.differences and not self.played.problems


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What came of one file: outcomes, or the problems that keep it from being run."""

    path: Path
    file: ScenarioFile | None
    outcomes: tuple[ScenarioOutcome, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems and all(outcome.passed for outcome in self.outcomes)


def run_files(paths: list[Path], kinds: KindRegistry) -> Iterator[FileOutcome]:
    """Run each file's scenarios, one after the other."""
    for path in paths:
        file = read_file(path, kinds)
        if isinstance(file, ScenarioFile):
            yield FileOutcome(path, file, asyncio.run(_outcomes(file)))
        else:
            yield FileOutcome(path, None, problems=tuple(file))


async def _outcomes(file: ScenarioFile) -> tuple[ScenarioOutcome, ...]:
    return tuple([await _outcome(file, scenario) for scenario in file.scenarios])


async def _outcome(file: ScenarioFile, scenario: Scenario) -> ScenarioOutcome:
    begun = time.perf_counter()
    played = await play(file.definition, scenario)
    differences = compare(file.definition, scenario.expected, played)
    return ScenarioOutcome(scenario, played, differences, time.perf_counter() - begun)
