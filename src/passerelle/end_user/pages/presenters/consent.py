"""A text with a box to tick."""

from __future__ import annotations

from typing import Any

from passerelle.end_user.pages.forms.posted import Posted
from passerelle.end_user.pages.presenters.base import FRESHLY, Presenter, Submission
from passerelle.end_user.session.evidence import Reading
from passerelle.end_user.session.models import FieldProblem, StepView
from passerelle.kit.json import Json
from passerelle.languages.language import Language


class ConsentPresenter(Presenter):
    """The text, its version and the box."""

    name = "consent"
    template = "consent.html"

    def content(self, step: StepView, t: Language, attempt: Submission) -> dict[str, Any]:
        config = step.config
        return {
            "text": t.of(config["text"]),
            "version": config["version"],
            "label": t.of(config["label"]) or t("consent.label"),
            "accepted": self.values(step, attempt).get("accepted") is True,
            "problem": attempt.problems.get("/accepted"),
        }

    def read(self, step: StepView, posted: Posted, t: Language) -> dict[str, Json]:
        return {"accepted": posted.last("/accepted") == "true"}

    def reading(self, step: StepView, t: Language, proof: str | None) -> Reading | None:
        if proof is None:
            return None
        content = self.content(step, t, FRESHLY)
        return Reading(
            proof, t.page, t.of(step.config["title"]), content["text"], content["label"], str(content["version"])
        )

    def sentence(self, step: StepView, problem: FieldProblem, t: Language) -> str:
        return t("problem.consent" if problem.keyword == "required" else "problem.other")
