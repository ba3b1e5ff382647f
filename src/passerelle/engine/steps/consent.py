"""`consent`: the end user agrees to a text. Its output is `{accepted, version, at}`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from passerelle.definitions.expressions import Scope
from passerelle.definitions.form_answers import FieldFinding
from passerelle.definitions.kinds import Path, StepContext, TextTemplate
from passerelle.definitions.model import Text
from passerelle.definitions.parts import part
from passerelle.definitions.readings import members
from passerelle.engine.kinds import Done
from passerelle.engine.user_kinds import AnswerRefused, UserKind, in_markdown, in_text, rendered
from passerelle.kit.clock import iso
from passerelle.kit.json import JsonObject, KnownJson


@dataclass(frozen=True, slots=True)
class ConsentConfig:
    """What is agreed to."""

    title: TextTemplate
    text: TextTemplate
    version: str
    label: Text | None
    required: bool


class ConsentKind(UserKind[ConsentConfig]):
    """A page with a text, its version and a check box; keeps who agreed to which text, and when."""

    name = "consent"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Asks the end user to agree to a text.",
        "additionalProperties": False,
        "required": ["title", "text", "version"],
        "properties": {
            "title": part("text", "The page's heading; `${…}` in it is replaced."),
            "text": part("text", "What is agreed to, in Markdown; `${…}` in it is replaced."),
            "version": {
                "type": "string",
                "minLength": 1,
                "maxLength": 100,
                "description": "The text's version, in quotes; it is kept with the consent.",
                "examples": ["2026-01"],
            },
            "label": part("text", "What stands beside the check box."),
            "required": {
                "type": "boolean",
                "default": True,
                "description": "Whether the end user has to agree to go on; otherwise `accepted` may be false.",
            },
        },
        "examples": [{"title": "Terms", "text": "I agree to the terms of use.", "version": "2026-01"}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> ConsentConfig:
        return ConsentConfig(
            title=compiling.text_template(value["title"], (*path, "title"), insert=in_text),
            text=compiling.text_template(value["text"], (*path, "text"), insert=in_markdown),
            version=value["version"],
            label=compiling.text(value["label"], (*path, "label")) if "label" in value else None,
            required=value.get("required", True),
        )

    def show(self, config: ConsentConfig, scope: Scope) -> JsonObject:
        return {
            "title": rendered(config.title, scope),
            "text": rendered(config.text, scope),
            "version": config.version,
            "label": config.label,
            "required": config.required,
        }

    def fields(self, config: ConsentConfig) -> frozenset[str]:
        return frozenset({"accepted"})

    def output_shape(self, config: ConsentConfig) -> JsonObject:
        return members({"accepted": {"type": "boolean"}, "version": {}, "at": {"type": "string"}})

    def submit(
        self, config: ConsentConfig, scope: Scope, answer: KnownJson, evidence: JsonObject | None, now: datetime
    ) -> Done:
        """The answer is `{accepted}`. The step's input keeps what was read, sealed, and its hash (`evidence`).

        Without evidence, where nobody has read a page, it keeps the text in all of its languages.
        """
        if findings := list(_wrong(config, answer)):
            raise AnswerRefused(findings)
        accepted = answer.get("accepted") is True
        output: JsonObject = {"accepted": accepted, "version": config.version, "at": iso(now)}
        language = {"language": scope["execution"]["language"]}
        kept: JsonObject = evidence if evidence is not None else {**self.show(config, scope), **language}
        return Done(output, input={"version": config.version, "required": config.required, **kept})


def _wrong(config: ConsentConfig, answer: JsonObject) -> Iterator[FieldFinding]:
    for name in answer:
        if name != "accepted":
            yield FieldFinding((name,), "unknown", "is not a field here; there is `accepted`")
    accepted = answer.get("accepted", False)
    if not isinstance(accepted, bool):
        yield FieldFinding(("accepted",), "type", "must be true or false", {"expected": ["boolean"]})
    elif config.required and not accepted:
        yield FieldFinding(("accepted",), "required", "must be accepted to go on")
