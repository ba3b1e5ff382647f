"""A step's form, read once per schema, and what was typed into it."""

from __future__ import annotations

from functools import lru_cache

from passerelle.end_user.pages.forms.dates import months_in
from passerelle.end_user.pages.forms.model import FormField
from passerelle.end_user.pages.forms.parsing import Parsed, parse_form
from passerelle.end_user.pages.forms.posted import Posted
from passerelle.end_user.pages.forms.reading import read_form
from passerelle.end_user.session.models import StepView
from passerelle.kit.json import dumps, loads
from passerelle.languages.language import Language, text_in


def form_of(step: StepView | None) -> FormField | None:
    """The fields of a step that is a form."""
    return None if step is None or step.schema is None else _form(dumps(step.schema))


def parsed(form: FormField, posted: Posted, language: Language, *, keep_blank: bool) -> Parsed:
    """The values that a browser sent for it, read in the language of the page."""
    months = months_in(language.code, language.page)
    return parse_form(form, posted, language.decimal, months, keep_blank=keep_blank)


def about_of(step: StepView) -> str:
    """What names a step to those who wrote it: its id and its title, which say whom its fields are about."""
    title = step.config.get("title")
    return f"{step.id} {title if isinstance(title, str) else text_in(title, 'en')}"


@lru_cache(maxsize=256)
def _form(schema: str) -> FormField:
    return read_form(loads(schema))
