"""`/h/{secret}`: where the code leads that one device shows to another. Looking changes nothing."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from passerelle.end_user.pages.answers import PageAnswers
from passerelle.end_user.pages.browsers import Browsers
from passerelle.end_user.pages.error_pages import on_a_page
from passerelle.end_user.pages.views import address, handover_view
from passerelle.end_user.session.service import EndUserSessions
from passerelle.kit.http.permissions import Public
from passerelle.links.errors import HANDOVER_GONE
from passerelle.links.handovers import Handovers


def router(handovers: Handovers, sessions: EndUserSessions, browsers: Browsers, answers: PageAnswers) -> APIRouter:
    """Everything below `/h`."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])
    lending = _Lending(handovers, sessions, browsers, answers)
    page = on_a_page(answers)
    routes.add_api_route("/h/{secret}", page(lending.look), methods=["GET", "HEAD"])
    routes.add_api_route("/h/{secret}", page(lending.take), methods=["POST"])
    return routes


class _Lending:
    def __init__(
        self, handovers: Handovers, sessions: EndUserSessions, browsers: Browsers, answers: PageAnswers
    ) -> None:
        self._handovers = handovers
        self._sessions = sessions
        self._browsers = browsers
        self._answers = answers

    async def look(self, request: Request, secret: str) -> Response:
        """What is to be done here, and the button that begins it."""
        visit = await self._browsers.find(request)
        if visit is not None:
            return RedirectResponse(address(visit.session.execution_id), 303)
        handover = await self._handovers.look(secret)
        screen = await self._sessions.screen(handover.workspace_id, handover.execution_id)
        if screen.step is None or (screen.step.id, screen.step.visit) != (handover.step, handover.step_visit):
            raise HANDOVER_GONE.error("the step is over")
        setting = await self._answers.setting_of(request, screen)
        title = setting.language.of(screen.step.config["title"])
        return self._answers.page(request, handover_view(title, setting.language, f"/h/{secret}"), setting)

    async def take(self, request: Request, secret: str) -> Response:
        """Lend the step to the browser that asks."""
        self._browsers.require_same_site(request)
        session = await self._handovers.take(secret)
        response = RedirectResponse(address(session.execution_id), 303)
        self._browsers.bind(response, session, f"/h/{secret}")
        return response
