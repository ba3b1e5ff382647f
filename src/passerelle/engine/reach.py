"""Which steps of a definition may still run from where an execution stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from passerelle.definitions.flow import Flow, flow_of
from passerelle.definitions.model import Definition, Step
from passerelle.engine.kinds import BranchingKind


class Reach:
    """The ways ahead through one definition, worked out once for each step."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._ahead: dict[str, frozenset[str]] = {}

    def home(self, step: str) -> tuple[str | None, str | None]:
        """The step that holds it and the name of the sequence inside; None twice for the definition's own."""
        owner, name, _, _ = self._places[step]
        return owner, name

    def ahead(self, step: str) -> frozenset[str]:
        """The step itself and all that may run after it in its sequence, with what they hold; of itself only where
        a loop leads back."""
        if step not in self._ahead:
            _, _, steps, flow = self._places[step]
            number = self._definition.positions[step]
            later = [steps[other] for other in range(len(steps)) if flow.leads_to(number, other)]
            self._ahead[step] = frozenset({step, *(each.id for other in later for each in _with_inner(other))})
        return self._ahead[step]

    def inside(self, step: str) -> frozenset[str]:
        """What a step holds."""
        return frozenset(each.id for each in _with_inner(self._definition.by_id[step])) - {step}

    def goes_on_inside(self, step: str) -> bool:
        """Whether a branching step that is under way may open further lanes."""
        kind = self._definition.by_id[step].kind
        return isinstance(kind, BranchingKind) and not kind.opens_all

    def still(self, positions: Sequence[tuple[str, bool]]) -> frozenset[str]:
        """What may still run from these steps on; each with whether what it holds may as well."""
        found: set[str] = set()
        for step, inside in positions:
            found |= self.ahead(step)
            if inside:
                found |= self.inside(step)
        return frozenset(found)

    @cached_property
    def _places(self) -> dict[str, tuple[str | None, str | None, tuple[Step, ...], Flow]]:
        return dict(_places(None, None, self._definition.steps))


_Place = tuple[str | None, str | None, tuple[Step, ...], Flow]


def _places(owner: str | None, name: str | None, steps: tuple[Step, ...]) -> Iterator[tuple[str, _Place]]:
    flow = flow_of(steps)
    for step in steps:
        yield step.id, (owner, name, steps, flow)
        for inner_name, inner in step.kind.nested(step.config):
            yield from _places(step.id, inner_name, inner)


def _with_inner(step: Step) -> Iterator[Step]:
    yield step
    for _, inner in step.kind.nested(step.config):
        for each in inner:
            yield from _with_inner(each)
