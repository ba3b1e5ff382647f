"""A step's form, read once per schema, and what was typed into it."""

from __future__ import annotations

from functools import lru_cache

from passerelle.executions.visitor.models import StepView
from passerelle.kit.json import Json, dumps, loads
from passerelle.pages.forms.model import Field
from passerelle.pages.forms.parsing import Parsed, parse_form
from passerelle.pages.forms.posted import Posted
from passerelle.pages.forms.reading import read_form
from passerelle.pages.texts import Language


def form_of(step: StepView | None) -> Field | None:
    """The fields of a step that is a form."""
    return None if step is None or step.schema is None else _form(dumps(step.schema))


def parsed(form: Field, posted: Posted, language: Language, *, keep_blank: bool) -> Parsed:
    """The values that a browser sent for it, read in the language of the page."""
    return parse_form(form, posted, language.decimal, keep_blank=keep_blank)


def draft_of(step: StepView, form: Field | None, posted: Posted, language: Language) -> dict[str, Json]:
    """What to keep of a step that is not submitted yet."""
    if form is not None:
        return parsed(form, posted, language, keep_blank=True).draft()
    return {"accepted": accepted(posted)} if step.kind == "consent" else {}


def accepted(posted: Posted) -> bool:
    """Whether a consent's box was ticked."""
    return posted.last("/accepted") == "true"


@lru_cache(maxsize=256)
def _form(schema: str) -> Field:
    return read_form(loads(schema))
