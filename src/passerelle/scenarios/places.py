"""Where steps stand: `owners[0].person` is the step `person` of the first item of `owners`.

A scenario may name an inner step by its id, which means it in every lane, or by its place in one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from passerelle.definitions.model import Definition, Step
from passerelle.definitions.words import suggest
from passerelle.engine.kinds import BranchingKind
from passerelle.engine.lanes import ROOT, Key, inner_lane, path_of, place_of_lane, split_path
from passerelle.engine.steps.each import EachKind


class StepPlaces:
    """The places of a definition's steps."""

    def __init__(self, definition: Definition) -> None:
        self.steps = definition.by_id
        self._around = {step.id: around for step, around in _with_owners(definition.steps, ())}

    def wrong(self, name: str, *, one: bool = False) -> str | None:
        """Why `name` names no step of the definition. `one`: an inner step's id alone will not do."""
        lane, step = split_path(name)
        if step not in self.steps:
            return f"there is no step `{step}`; {suggest(step, self.steps, 'the steps are')}"
        around = self._around[step]
        if (lane == ROOT and not (one and around)) or self._fits(lane, around):
            return None
        return f"`{name}` is no place of the step `{step}`; write `{self.example(step)}`"

    def example(self, step: str) -> str:
        """One place of a step."""
        lane = ROOT
        for owner, key in self._around[step]:
            lane = inner_lane(lane, owner, 1, 1, key)
        return path_of(lane, step)

    def _fits(self, lane: str, around: tuple[tuple[str, Key], ...]) -> bool:
        for owner, key in reversed(around):
            try:
                lane, step, here = place_of_lane(lane)
            except ValueError:
                return False
            if step != owner or type(here) is not type(key) or (isinstance(key, str) and here != key):
                return False
        return lane == ROOT


def _with_owners(
    steps: tuple[Step, ...], around: tuple[tuple[str, Key], ...]
) -> Iterator[tuple[Step, tuple[tuple[str, Key], ...]]]:
    """Every step with the steps around it, from the outside in, each with the branch that it is in, or item 0."""
    for step in steps:
        yield step, around
        if isinstance(step.kind, BranchingKind):
            for name, inner in step.kind.nested(step.config):
                key: Key = 0 if isinstance(step.kind, EachKind) else name
                yield from _with_owners(inner, (*around, (step.id, key)))
