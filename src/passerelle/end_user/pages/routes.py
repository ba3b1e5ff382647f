"""What the pages contribute to the application."""

from __future__ import annotations

from fastapi import APIRouter

from passerelle.end_user.pages import assets, entry, lending, steps
from passerelle.end_user.pages.answers import PageAnswers
from passerelle.end_user.pages.browsers import Browsers
from passerelle.end_user.pages.presenters import presenters
from passerelle.end_user.session.consent_copies import AgreedTexts
from passerelle.end_user.session.service import EndUserSessions
from passerelle.kit.clock import Clock
from passerelle.kit.secrets import SecretBox
from passerelle.links.service import Links


def routers(
    links: Links,
    sessions: EndUserSessions,
    agreed: AgreedTexts,
    answers: PageAnswers,
    box: SecretBox,
    clock: Clock,
    public_url: str,
) -> tuple[APIRouter, ...]:
    """`/l/`, `/h/`, `/x/` and `/assets/`. `public_url` says whether cookies travel over TLS only."""
    presenters()  # a broken plug-in stops the start, not the first end user
    browsers = Browsers(links, box, clock, public_url)
    return (
        assets.router(),
        entry.router(links, browsers, answers),
        lending.router(links.handovers, sessions, browsers, answers),
        steps.router(links, sessions, agreed, browsers, answers),
    )
