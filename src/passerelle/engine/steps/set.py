"""`set`: computed values. Its output is the values."""

from __future__ import annotations

from typing import ClassVar

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Compiling, Path
from passerelle.engine.kinds import Done, PureKind
from passerelle.kit.json import Json, JsonObject


class SetKind(PureKind):
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

    def compile(self, value: Json, path: Path, compiling: Compiling) -> Template:
        return compiling.template(value, path)

    def run(self, config: Template, scope: Scope) -> Done:
        return Done(config.render(scope))
