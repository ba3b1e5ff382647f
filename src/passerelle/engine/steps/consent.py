"""`consent`: the end user agrees to a text. Its output is `{accepted, version, at}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from passerelle.definitions.kinds import Compiling, Path, StepKind, TextTemplate
from passerelle.definitions.model import Text
from passerelle.definitions.parts import part
from passerelle.kit.json import Json, JsonObject


@dataclass(frozen=True, slots=True)
class ConsentConfig:
    """What is agreed to."""

    title: Text
    text: TextTemplate
    version: str
    label: Text | None


class ConsentKind(StepKind):
    """A page with a text, its version and a check box; keeps who agreed to which text, and when."""

    name = "consent"
    user_facing = True
    runnable = False
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Asks the end user to agree to a text.",
        "additionalProperties": False,
        "required": ["title", "text", "version"],
        "properties": {
            "title": part("text", "The page's heading."),
            "text": part("text", "What is agreed to; `${…}` in it is replaced."),
            "version": {
                "type": "string",
                "minLength": 1,
                "maxLength": 100,
                "description": "The text's version, in quotes; it is kept with the consent.",
                "examples": ["2026-01"],
            },
            "label": part("text", "What stands beside the check box."),
        },
        "examples": [{"title": "Terms", "text": "I agree to the terms of use.", "version": "2026-01"}],
    }

    def compile(self, value: Json, path: Path, compiling: Compiling) -> ConsentConfig:
        return ConsentConfig(
            title=compiling.text(value["title"], (*path, "title")),
            text=compiling.text_template(value["text"], (*path, "text")),
            version=value["version"],
            label=compiling.text(value["label"], (*path, "label")) if "label" in value else None,
        )
