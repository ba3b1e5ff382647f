"""`set`: computed values. Its output is the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.readings import members
from passerelle.engine.kinds import Done, PureKind
from passerelle.kit.json import JsonObject, KnownJson


@dataclass(frozen=True, slots=True)
class SetConfig:
    """The values, and what they are called."""

    values: Template
    names: tuple[str, ...]


class SetKind(PureKind[SetConfig]):
    """Computes values. They do not see each other: a value that needs another belongs in a further step."""

    name = "set"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Values to compute, by name; later steps read them as `steps.<id>.<name>`.",
        "minProperties": 1,
        "propertyNames": {"minLength": 1, "maxLength": 100},
        "additionalProperties": {"$ref": "#/$defs/template"},
        "examples": [{"score": "${parameters.amount > 1000 ? 80 : 10}"}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> SetConfig:
        return SetConfig(compiling.template(value, path), tuple(value))

    def output_shape(self, config: SetConfig) -> JsonObject:
        return members({key: {} for key in config.names})

    def run(self, config: SetConfig, scope: Scope) -> Done:
        return Done(config.values.render(scope))
