"""A page of text."""

from __future__ import annotations

from typing import Any

from passerelle.end_user.pages.presenters.base import Presenter, Submission
from passerelle.end_user.session.models import StepView
from passerelle.languages.language import Language


class MessagePresenter(Presenter):
    """A text and a button."""

    name = "message"
    template = "message.html"

    def content(self, step: StepView, t: Language, attempt: Submission) -> dict[str, Any]:
        return {"text": t.of(step.config["text"]), "button": t.of(step.config["button"]) or None}
