"""Templates, and Markdown of definitions. Whatever a person or a definition wrote is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader

from passerelle.end_user.pages.forms.view import FieldView
from passerelle.end_user.pages.presenters import Presenter, presenters
from passerelle.end_user.pages.presenters.base import TEMPLATES
from passerelle.kit.markdown import markdown
from passerelle.kit.templating import environment
from passerelle.languages.language import Language

ICONS: Final = {
    "alert": "M12 8v5m0 3.5v.01M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Z",
    "plus": "M12 5v14M5 12h14",
    "minus": "M5 12h14",
    "back": "M15 18l-6-6 6-6",
    "check": "M5 12.5l4.5 4.5L19 7.5",
    "clock": "M12 7v5l3.5 2M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Z",
    "mail": "M3.5 6.5h17v11h-17zM4 7l8 6 8-6",
    "link": "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 1 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 1 0 11 18.700l1-1",
    "globe": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3.500 12h17M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18",
    "lock": "M7 11V8a5 5 0 0 1 10 0v3M5.500 11h13v9h-13z",
    "stop": "M6.500 6.500l11 11M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Z",
    "file": "M7 3.500h7l4 4v13H7zM14 3.500v4h4",
    "camera": "M4 8h3.500L9 5.500h6L16.500 8H20v11H4zM12 16.500a3.300 3.300 0 1 0 0-6.600 3.300 3.300 0 0 0 0 6.600Z",
    "upload": "M12 16V5m0 0L7.500 9.500M12 5l4.500 4.500M4.500 16v3.500h15V16",
    "download": "M12 4v11m0 0l-4.500-4.500M12 15l4.500-4.500M4.500 16v3.500h15V16",
    "phone": "M8 3.500h8v17H8zM11 17.500h2",
    "shield": "M12 3.500l7 2.500v5.500c0 4.500-3 7.500-7 9-4-1.500-7-4.500-7-9V6z",
}
"""Outlines on a grid of 24 by 24."""


def render(template: str, values: Mapping[str, Any]) -> str:
    """One template with these values."""
    return _environment().get_template(template).render(values)


def template_of(presenter: Presenter) -> str:
    """The page of a kind, as `render` takes it: a plug-in's is in a folder of its own."""
    return presenter.template if presenter.templates == TEMPLATES else f"{presenter.name}/{presenter.template}"


def fields_html(fields: Sequence[FieldView], language: Language) -> str:
    """The fields of a form alone, as they stand inside of it."""
    module = _environment().get_template("fields.html").module
    return "".join(str(module.field(one, language)) for one in fields)  # type: ignore[attr-defined]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(
        ChoiceLoader(
            [
                FileSystemLoader(TEMPLATES),
                PrefixLoader({one.name: FileSystemLoader(one.templates) for one in presenters().values()}),
            ]
        )
    )
    made.globals["icons"] = ICONS
    made.filters["markdown"] = markdown
    return made
