"""`parallel`: branches that run side by side, then join. Its output has one member for each branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from passerelle.definitions.expressions import Scope
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.model import Step
from passerelle.definitions.parts import part
from passerelle.engine.kinds import BranchingKind
from passerelle.engine.lanes import Key
from passerelle.kit.json import Json, JsonObject, KnownJson


@dataclass(frozen=True, slots=True)
class ParallelConfig:
    """The branches by name, and what happens to the others when one fails."""

    branches: Mapping[str, tuple[Step, ...]]
    on_error: Literal["cancel", "wait"]


class ParallelKind(BranchingKind[ParallelConfig]):
    """Runs branches side by side; the next step follows when all are done."""

    name = "parallel"
    opens_all = True
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Runs branches side by side, then joins. No branch may have a user-facing step.",
        "additionalProperties": False,
        "required": ["branches"],
        "properties": {
            "branches": {
                "type": "object",
                "description": "The steps of every branch, by the branch's name; read as `steps.<id>.<branch>`.",
                "minProperties": 2,
                "propertyNames": part("stepId"),
                "additionalProperties": part("steps"),
            },
            "onError": {
                "enum": ["cancel", "wait"],
                "default": "cancel",
                "description": "When a branch fails: `cancel` the others, or `wait` for them. Then the step fails.",
            },
        },
        "examples": [
            {
                "branches": {
                    "tax": [{"id": "nip", "check": {"name": "company-number", "with": {"value": "${parameters.nip}"}}}],
                    "bank": [{"id": "iban", "check": {"name": "iban", "with": {"value": "${parameters.iban}"}}}],
                }
            }
        ],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> ParallelConfig:
        branches = {
            compiling.identifier(name, (*path, "branches", name)): compiling.steps(steps, (*path, "branches", name))
            for name, steps in value["branches"].items()
        }
        return ParallelConfig(branches, value.get("onError", "cancel"))

    def nested(self, config: ParallelConfig) -> Iterator[tuple[str, tuple[Step, ...]]]:
        return iter(config.branches.items())

    def open(self, config: ParallelConfig, scope: Scope) -> Sequence[Key]:
        return list(config.branches)

    def steps(self, config: ParallelConfig, key: Key) -> tuple[Step, ...]:
        return config.branches[str(key)]

    def at_once(self, config: ParallelConfig) -> int:
        return len(config.branches)

    def when_one_fails(self, config: ParallelConfig) -> Literal["cancel", "wait"]:
        return config.on_error

    def same(self, before: ParallelConfig, scope_before: Scope, after: ParallelConfig, scope_after: Scope) -> bool:
        return before.branches.keys() == after.branches.keys()

    def join(self, config: ParallelConfig, outputs: Mapping[Key, JsonObject]) -> Json:
        return {str(branch): output for branch, output in outputs.items()}
