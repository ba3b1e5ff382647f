"""Every user-facing kind has a presenter, and one of a package that cannot be used says so by name."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from passerelle.end_user.pages.presenters import Presenter, Submission, presenters
from passerelle.end_user.pages.presenters.registry import _LOADER
from passerelle.end_user.session.models import StepView
from passerelle.engine import plugins
from passerelle.engine.plugins import PRESENTERS, PluginError
from passerelle.engine.registry import load_kinds
from passerelle.languages.language import Language


class Bare(Presenter):
    name = "bare"
    template = "message.html"

    def content(self, step: StepView, t: Language, attempt: Submission) -> dict[str, Any]:
        return {}


class Pageless(Bare):
    name = "pageless"
    templates = Path("/nowhere")


class Taken(Bare):
    name = "form"


class Unfinished(Presenter):
    name = "unfinished"
    template = "message.html"


def test_every_built_in_kind_that_end_users_see_has_one() -> None:
    assert {name for name, kind in load_kinds().items() if kind.user_facing} == set(presenters())


@pytest.mark.parametrize(
    ("name", "attribute", "sentence"),
    [
        ("pageless", "Pageless", "is not a usable presenter: there is no template /nowhere/message.html"),
        ("other", "Bare", "is not a usable presenter: its name is bare, not other"),
        ("unfinished", "Unfinished", "is not a Presenter with its `content`"),
        ("form", "Taken", "the presenter form comes from Passerelle itself and from an unknown package"),
    ],
)
def test_one_that_cannot_be_used_says_why(
    monkeypatch: pytest.MonkeyPatch, name: str, attribute: str, sentence: str
) -> None:
    module = ModuleType("presenting")
    vars(module).update({one.__name__: one for one in (Bare, Pageless, Taken, Unfinished)})
    monkeypatch.setitem(sys.modules, "presenting", module)
    points = [EntryPoint(name, f"presenting:{attribute}", PRESENTERS)]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == PRESENTERS else [])
    with pytest.raises(PluginError) as raised:
        _LOADER.load()
    assert sentence in str(raised.value)
