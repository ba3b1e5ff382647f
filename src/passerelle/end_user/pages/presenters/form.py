"""A page with fields."""

from __future__ import annotations

from typing import Any

from passerelle.end_user.pages.form_steps import about_of, form_of, parsed
from passerelle.end_user.pages.forms.posted import Posted
from passerelle.end_user.pages.forms.view import FormState, view_form
from passerelle.end_user.pages.presenters.base import Presenter, Submission
from passerelle.end_user.session.models import StepView
from passerelle.kit.json import Json
from passerelle.languages.language import Language


class FormPresenter(Presenter):
    """The fields of a JSON Schema. What its buttons do beyond Continue is in `doing`."""

    name = "form"
    template = "form.html"

    def content(self, step: StepView, t: Language, attempt: Submission) -> dict[str, Any]:
        form = form_of(step)
        if form is None:
            return {"fields": ()}
        hidden = frozenset(step.hidden if attempt.hidden is None else attempt.hidden)
        state = FormState(self.values(step, attempt), t, attempt.problems, hidden, t.region, about_of(step), step.asked)
        return {"fields": view_form(form, state)}

    def read(self, step: StepView, posted: Posted, t: Language) -> dict[str, Json]:
        form = form_of(step)
        return {} if form is None else parsed(form, posted, t, keep_blank=True).draft()
