"""`fail`: ends the execution with an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.parts import part
from passerelle.engine.kinds import Done, PureKind, StepFailure
from passerelle.kit.json import JsonObject, KnownJson, dumps


@dataclass(frozen=True, slots=True)
class FailConfig:
    """The error's code and message."""

    code: str
    message: Template


class FailKind(PureKind[FailConfig]):
    """Fails with the given code. The step's `onError` applies, as to any other failure."""

    name = "fail"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Ends the execution with an error.",
        "additionalProperties": False,
        "required": ["code", "message"],
        "properties": {
            "code": {
                "type": "string",
                "description": "What programs tell errors apart by.",
                "pattern": "^[A-Z][A-Z0-9_]{0,99}$",
                "errorMessage": "must have capital letters, digits and `_`, such as `COMPANY_NOT_FOUND`",
                "examples": ["COMPANY_NOT_FOUND"],
            },
            "message": part("textTemplate", "One sentence for the person who operates the workflow."),
        },
        "examples": [{"code": "COMPANY_NOT_FOUND", "message": "The register has no ${parameters.companyNumber}."}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> FailConfig:
        return FailConfig(value["code"], compiling.template(value["message"], (*path, "message")))

    def falls_through(self, config: FailConfig) -> bool:
        return False

    def run(self, config: FailConfig, scope: Scope) -> Done:
        message = config.message.render(scope)
        raise StepFailure(config.code, message if isinstance(message, str) else dumps(message))
