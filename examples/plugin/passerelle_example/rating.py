"""A step with a page: its kind, which the engine runs, and its presenter, which draws the page and reads the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path as Folder
from typing import Any, ClassVar

from passerelle.definitions.expressions import Scope
from passerelle.definitions.form_answers import FieldFinding
from passerelle.definitions.kinds import Path, StepContext, TextTemplate
from passerelle.definitions.parts import part
from passerelle.end_user.pages.forms.posted import Posted
from passerelle.end_user.pages.presenters import Presenter, Submission
from passerelle.end_user.session.models import StepView
from passerelle.engine.kinds import Done
from passerelle.engine.user_kinds import AnswerRefused, UserKind, in_text, rendered
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.languages.language import Language


@dataclass(frozen=True, slots=True)
class RatingConfig:
    """What is asked, and out of how many stars."""

    title: TextTemplate
    stars: int


class RatingKind(UserKind[RatingConfig]):
    """`rating: {title: How was it?, stars: 5}` gives `{rating, remark}`; the remark may be left out."""

    name = "rating"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Asks the end user for a number of stars.",
        "additionalProperties": False,
        "required": ["title"],
        "properties": {
            "title": part("text", "The page's heading; `${…}` in it is replaced."),
            "stars": {"type": "integer", "minimum": 2, "maximum": 10, "default": 5, "description": "The best rating."},
        },
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> RatingConfig:
        title = compiling.text_template(value["title"], (*path, "title"), insert=in_text)
        return RatingConfig(title, int(value.get("stars", 5)))

    def show(self, config: RatingConfig, scope: Scope) -> JsonObject:
        return {"title": rendered(config.title, scope), "stars": config.stars}

    def fields(self, config: RatingConfig) -> frozenset[str]:
        return frozenset({"rating", "remark"})

    def submit(
        self, config: RatingConfig, scope: Scope, answer: KnownJson, evidence: JsonObject | None, now: datetime
    ) -> Done:
        if findings := list(_wrong(config, answer)):
            raise AnswerRefused(findings)
        return Done({"rating": answer["rating"], **({"remark": answer["remark"]} if answer.get("remark") else {})})


def _wrong(config: RatingConfig, answer: JsonObject) -> Iterator[FieldFinding]:
    for name in answer.keys() - {"rating", "remark"}:
        yield FieldFinding((name,), "unknown", "is not a field here")
    rating = answer.get("rating")
    if type(rating) is not int or not 1 <= rating <= config.stars:
        yield FieldFinding(("rating",), "required", f"choose a number of stars from 1 to {config.stars}")
    if not isinstance(answer.get("remark", ""), str):
        yield FieldFinding(("remark",), "type", "must be a text")


class RatingPresenter(Presenter):
    """Stars to choose from, and a line for a remark."""

    name = "rating"
    template = "rating.html"
    templates = Folder(__file__).parent / "templates"

    def content(self, step: StepView, t: Language, attempt: Submission) -> dict[str, Any]:
        values = self.values(step, attempt)
        return {
            "stars": range(1, step.config["stars"] + 1),
            "rating": values.get("rating"),
            "remark": values.get("remark", ""),
            "problem": attempt.problems.get("/rating"),
        }

    def read(self, step: StepView, posted: Posted, t: Language) -> dict[str, Json]:
        chosen = posted.last("/rating") or ""
        rating = {"rating": int(chosen)} if chosen.isascii() and chosen.isdigit() and len(chosen) < 3 else {}
        return {**rating, "remark": posted.last("/remark") or ""}
