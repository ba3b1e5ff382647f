"""What the pages contribute to the application."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from passerelle.executions.visitor.service import Visitor
from passerelle.kit.clock import Clock
from passerelle.kit.secrets import SecretBox
from passerelle.links.service import Links
from passerelle.pages import assets, entry, steps
from passerelle.pages.answers import Answers
from passerelle.pages.browsers import Browsers
from passerelle.themes.service import Themes

PUBLIC: Final = (*assets.PUBLIC, *entry.PUBLIC, *steps.PUBLIC)
"""Paths that need no credentials of the API: end users have none."""


def routers(
    links: Links, visitor: Visitor, themes: Themes, box: SecretBox, clock: Clock, public_url: str
) -> tuple[APIRouter, ...]:
    """`/l/`, `/x/` and `/assets/`. `public_url` says whether cookies travel over TLS only."""
    browsers = Browsers(links, box, clock, public_url)
    answers = Answers(themes, secure=browsers.secure)
    return (
        assets.router(),
        entry.router(links, browsers, answers),
        steps.router(visitor, browsers, answers),
    )
