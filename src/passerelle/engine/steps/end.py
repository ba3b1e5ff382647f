"""`end`: ends the execution early, successfully. The definition's `result` is worked out as at its last step."""

from __future__ import annotations

from typing import ClassVar

from passerelle.definitions.expressions import Scope
from passerelle.definitions.kinds import Path, StepContext
from passerelle.engine.kinds import Ended, PureKind
from passerelle.kit.json import JsonObject, KnownJson


class EndKind(PureKind[None]):
    """Ends the execution."""

    name = "end"
    schema: ClassVar[JsonObject] = {
        "type": ["object", "null"],
        "description": "Ends the execution, successfully.",
        "additionalProperties": False,
        "properties": {},
        "examples": [{}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> None:
        return None

    def falls_through(self, config: None) -> bool:
        return False

    def run(self, config: None, scope: Scope) -> Ended:
        return Ended()
