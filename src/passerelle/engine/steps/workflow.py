"""`workflow`: another definition as one step. Its output is `{workflowId, status, result}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.model import Retry
from passerelle.definitions.parts import part
from passerelle.definitions.readings import members
from passerelle.engine.kinds import Child, ChildKind
from passerelle.kit.json import JsonObject, KnownJson


@dataclass(frozen=True, slots=True)
class WorkflowConfig:
    """Which definition, and what it is started with."""

    definition: str
    parameters: Template


class WorkflowKind(ChildKind[WorkflowConfig]):
    """Starts an execution of another definition and waits for its end."""

    name = "workflow"
    # The steps of the other definition have their own retries, so one attempt is the default.
    default_retry = Retry(attempts=1, on=("failed",))
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Runs another definition of the workspace and waits for its end.",
        "additionalProperties": False,
        "required": ["definition"],
        "properties": {
            "definition": part("name", "The other definition's name."),
            "parameters": {
                "type": "object",
                "description": "What it is started with, by name; `${…}` allowed. `null` leaves an optional one out.",
                "additionalProperties": {"$ref": "#/$defs/template"},
            },
        },
        "examples": [{"definition": "company-check", "parameters": {"nip": "${steps.company.companyNumber}"}}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> WorkflowConfig:
        return WorkflowConfig(
            compiling.workflow(value["definition"], value.get("parameters", {}), path),
            compiling.template(value.get("parameters", {}), (*path, "parameters")),
        )

    def output_shape(self, config: WorkflowConfig) -> JsonObject:
        return members({"workflowId": {"type": "string"}, "status": {}, "result": {}})

    def child(self, config: WorkflowConfig, scope: Scope) -> Child:
        return Child(config.definition, config.parameters.render(scope))
