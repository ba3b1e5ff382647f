"""Personal data does not show in timelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from passerelle.definitions.model import Definition
from passerelle.engine.kinds import MASK
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.records.masking import Masking
from passerelle.workflows.models import StepRunView


class RunMasking(Masking):
    """As `Masking`; it knows how steps show what is personal."""

    def __init__(self, values: Sequence[Json], by_place: Mapping[str, Callable[[Json], Json]] | None = None) -> None:
        """`by_place` masks what is personal in the output of a step because of where it stands there, however short
        it is."""
        super().__init__(values)
        self._by_place = by_place or {}

    def result(self, result: Json) -> KnownJson:
        """What an execution came to: every step's output by its id, or what the definition makes of them."""
        if not isinstance(result, dict):
            return self.value(result)
        return {
            name: self.value(self._by_place[name](value) if name in self._by_place else value)
            for name, value in result.items()
        }

    def output(self, run: StepRunView) -> KnownJson:
        """A step's output. What a check found out about a personal value is as personal as the value."""
        masked = self._by_place.get(run.step)
        output = self.value(run.output if masked is None else masked(run.output))
        if run.kind == "check" and isinstance(output, dict) and self.value(run.input) != run.input:
            return {**output, "data": MASK}
        return output


def personal_parameters(definition: Definition, parameters: JsonObject) -> list[Json]:
    """The values of the parameters that have a `pii` class."""
    return [parameters.get(name) for name, parameter in definition.parameters.items() if parameter.pii]
