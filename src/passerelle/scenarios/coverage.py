"""Which steps and which branches of `switch` the scenarios of a definition went through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from passerelle.definitions.model import Definition, Step
from passerelle.engine.lanes import split_path
from passerelle.engine.steps.switch import SwitchKind
from passerelle.kit.json import Json
from passerelle.scenarios.playing import Played


@dataclass(frozen=True, slots=True)
class Branch:
    """One way on from a `switch`: a case, or the next step where no case holds (`goto` is None then)."""

    step: str
    when: str | None
    goto: str | None

    def __str__(self) -> str:
        condition = f" ({self.when})" if self.when else ""
        return f"{self.step} → {self.goto or 'next step'}{condition}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What there is, and what no scenario went through."""

    steps: int
    branches: int
    missed_steps: tuple[str, ...]
    missed_branches: tuple[Branch, ...]


def coverage_of(definition: Definition, played: Iterable[Played]) -> Coverage:
    """Over all scenarios of one definition together. A step that was only skipped does not count."""
    runs = [run for one in played for run in one.runs if run.status != "SKIPPED"]
    ran = {split_path(run.step)[1] for run in runs}
    taken = {_taken(split_path(run.step)[1], run.input) for run in runs if run.kind == SwitchKind.name}
    steps = [step.id for step in definition.all_steps]
    branches = [branch for step in definition.all_steps for branch in _branches(step)]
    return Coverage(
        steps=len(steps),
        branches=len(branches),
        missed_steps=tuple(step for step in steps if step not in ran),
        missed_branches=tuple(branch for branch in branches if branch not in taken),
    )


def _branches(step: Step) -> Iterable[Branch]:
    if not isinstance(step.kind, SwitchKind):
        return
    for case in step.config:
        yield Branch(step.id, case.when.source if case.when is not None else None, case.goto)
    if step.kind.falls_through(step.config):
        yield Branch(step.id, None, None)


def _taken(step: str, shown: Json) -> Branch | None:
    return Branch(step, shown.get("when"), shown.get("goto")) if isinstance(shown, dict) else None
