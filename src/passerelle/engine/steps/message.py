"""`message`: a page of text. The last one of a definition is its end page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Path, StepContext, TextTemplate
from passerelle.definitions.model import Text
from passerelle.definitions.parts import part
from passerelle.engine.kinds import Done
from passerelle.engine.user_kinds import UserKind, in_markdown, in_text, rendered
from passerelle.kit.json import JsonObject, KnownJson


@dataclass(frozen=True, slots=True)
class MessageConfig:
    """What the page says and where its button leads."""

    title: TextTemplate
    text: TextTemplate
    button: Text | None
    redirect: Template | None


class MessageKind(UserKind[MessageConfig]):
    """A page of text with a button; as the last page it may send the browser elsewhere."""

    name = "message"
    may_end = True
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Shows the end user a page of text.",
        "additionalProperties": False,
        "required": ["title", "text"],
        "properties": {
            "title": part("text", "The page's heading; `${…}` in it is replaced."),
            "text": part("text", "What the page says, in Markdown; `${…}` in it is replaced."),
            "button": part("text", "What the button says."),
            "redirect": part("textTemplate", "Where the browser goes from the end page."),
        },
        "examples": [{"title": "Thank you", "text": "We will write to ${steps.company.email}.", "button": "Close"}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> MessageConfig:
        redirect = value.get("redirect")
        return MessageConfig(
            title=compiling.text_template(value["title"], (*path, "title"), insert=in_text),
            text=compiling.text_template(value["text"], (*path, "text"), insert=in_markdown),
            button=compiling.text(value["button"], (*path, "button")) if "button" in value else None,
            redirect=None if redirect is None else compiling.template(redirect, (*path, "redirect"), insert=in_text),
        )

    def show(self, config: MessageConfig, scope: Scope) -> JsonObject:
        return {
            "title": rendered(config.title, scope),
            "text": rendered(config.text, scope),
            "button": config.button,
            "redirect": config.redirect.render(scope) if config.redirect is not None else None,
        }

    def submit(
        self, config: MessageConfig, scope: Scope, answer: KnownJson, evidence: JsonObject | None, now: datetime
    ) -> Done:
        return Done()
