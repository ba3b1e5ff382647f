"""`review`: a person decides. Its output is `{outcome, comment, by, at}`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from passerelle.definitions.kinds import Compiling, Path, StepKind
from passerelle.definitions.model import Text
from passerelle.definitions.parts import part
from passerelle.kit.json import Json, JsonObject


@dataclass(frozen=True, slots=True)
class ReviewConfig:
    """What is to be decided, by whom, and how long they have."""

    title: Text
    outcomes: tuple[str, ...]
    assign_to: str | None
    four_eyes: bool
    within: timedelta | None


class ReviewKind(StepKind):
    """Rests until a person has decided, in the dashboard or through the API."""

    name = "review"
    runnable = False
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Waits for a person's decision in the dashboard or through the API.",
        "additionalProperties": False,
        "required": ["title", "outcomes"],
        "properties": {
            "title": part("text", "What is to be decided."),
            "outcomes": {
                "type": "array",
                "description": "What may be decided; later steps read `steps.<id>.outcome`.",
                "minItems": 2,
                "maxItems": 20,
                "uniqueItems": True,
                "items": {"type": "string", "minLength": 1, "maxLength": 100},
                "examples": [["approve", "reject"]],
            },
            "assignTo": {
                "type": "string",
                "minLength": 1,
                "description": "The role or the person that decides; anyone who may decide reviews without it.",
            },
            "fourEyes": {
                "type": "boolean",
                "default": False,
                "description": "Two different people must decide the same.",
            },
            "within": part("duration", "How long they have; then the step fails."),
        },
        "examples": [{"title": "Manual check", "outcomes": ["approve", "reject"], "within": "2d"}],
    }

    def compile(self, value: Json, path: Path, compiling: Compiling) -> ReviewConfig:
        return ReviewConfig(
            title=compiling.text(value["title"], (*path, "title")),
            outcomes=tuple(value["outcomes"]),
            assign_to=value.get("assignTo"),
            four_eyes=value.get("fourEyes", False),
            within=compiling.duration(value["within"], (*path, "within")) if "within" in value else None,
        )
