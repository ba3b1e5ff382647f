"""`/l/{secret}`: where a link leads. Looking changes nothing, however often a scanner does it."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from passerelle.end_user.pages.answers import PageAnswers, Setting
from passerelle.end_user.pages.browsers import Browsers
from passerelle.end_user.pages.error_pages import on_a_page
from passerelle.end_user.pages.form_bodies import pairs_of
from passerelle.end_user.pages.presenters import PageProblem
from passerelle.end_user.pages.views import PageView, address, code_view, link_view, start_view
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.http.permissions import Public
from passerelle.links.credentials import secret_in
from passerelle.links.errors import CHALLENGE_REQUIRED, CODE_WRONG, CODES_TOO_MANY
from passerelle.links.models import EndUserSession, LinkState, LinkView
from passerelle.links.service import Links

PUBLIC: Final = ("/l/",)

_SMALL: Final = 10_000
"""Bytes of a form with a code or a challenge."""


def router(links: Links, browsers: Browsers, answers: PageAnswers) -> APIRouter:
    """Everything below `/l`."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])
    entry = _Entry(links, browsers, answers)
    page = on_a_page(answers)
    routes.add_api_route("/l/{secret}", page(entry.look), methods=["GET", "HEAD"])
    routes.add_api_route("/l/{secret}/challenge", entry.challenge, methods=["POST"])
    routes.add_api_route("/l/{secret}/start", page(entry.start), methods=["POST"])
    routes.add_api_route("/l/{secret}/code", page(entry.code), methods=["POST"])
    # A form's address, typed or loaded again.
    routes.add_api_route("/l/{secret}/start", _to_link, methods=["GET", "HEAD"])
    routes.add_api_route("/l/{secret}/code", _to_link, methods=["GET", "HEAD"])
    return routes


async def _to_link(secret: str) -> Response:
    return RedirectResponse(f"/l/{secret}", 303)


class _Entry:
    def __init__(self, links: Links, browsers: Browsers, answers: PageAnswers) -> None:
        self._links = links
        self._browsers = browsers
        self._answers = answers

    # Takes nothing but the request: so no framework stands between a reader and the first page.
    async def look(self, request: Request) -> Response:
        """The page at a link, by its state; the browser that it is bound to goes on where it was."""
        secret: str = request.path_params["secret"]
        if (clean := secret_in(secret)) is not None:
            return await _to_link(clean)
        link = await self._links.look(secret)
        visit = await self._browsers.find(request)
        if visit is not None and visit.session.execution_id == link.execution_id:
            return RedirectResponse(address(visit.session.execution_id), 303)
        return await self._show(request, secret, link)

    async def challenge(self, request: Request, secret: str) -> Response:
        """What the page's script needs for *Start*; it asks for it when a person does something."""
        self._browsers.require_same_site(request)
        return json_answer({"challenge": await self._links.challenge(secret)})

    async def start(self, request: Request, secret: str) -> Response:
        """Activate the link. Without script a code by e-mail does instead."""
        self._browsers.require_same_site(request)
        posted = dict(pairs_of(await receive_body(request.scope, request.receive, limit=_SMALL)))
        try:
            session = await self._links.activate(secret, posted.get("challenge") or None)
        except PasserelleError as error:
            return await self._not_started(request, secret, error)
        return self._enter(secret, session)

    async def code(self, request: Request, secret: str) -> Response:
        """Send a code, or take one."""
        self._browsers.require_same_site(request)
        posted = dict(pairs_of(await receive_body(request.scope, request.receive, limit=_SMALL)))
        link = await self._links.look(secret)
        setting = await self._setting(request, link)
        try:
            if posted.get("action") != "send":
                return self._enter(secret, await self._links.enter_code(secret, posted.get("code", "")))
            sent = await self._links.send_code(secret, setting.language.page)
        except PasserelleError as error:
            return await self._code_refused(request, secret, link, error)
        if sent is None:
            return await self._show(request, secret, link)
        return self._answers.page(request, code_view(link, setting.language, f"/l/{secret}", sent=sent), setting)

    async def _not_started(self, request: Request, secret: str, error: PasserelleError) -> Response:
        link = await self._links.look(secret)
        if error.problems[0].code != CHALLENGE_REQUIRED.name or link.state is not LinkState.FRESH:
            return await self._show(request, secret, link, error.status)
        setting = await self._setting(request, link)
        t, here = setting.language, f"/l/{secret}"
        if link.masked_email is not None:
            return self._answers.page(request, code_view(link, t, here), setting, error.status)
        view = start_view(link, setting.theme, t, here, [PageProblem(t("start.no_script_alone"))])
        return self._answers.page(request, view, setting, error.status)

    async def _code_refused(self, request: Request, secret: str, link: LinkView, error: PasserelleError) -> Response:
        setting = await self._setting(request, link)
        t, code = setting.language, error.problems[0].code
        if code == CODE_WRONG.name:
            trouble = PageProblem(t("code.wrong"), t("code.label"), "code")
        elif code == CODES_TOO_MANY.name:
            trouble = PageProblem(t("code.too_many", wait=_wait(error)))
        else:
            return await self._show(request, secret, await self._links.look(secret), error.status)
        view = code_view(link, t, f"/l/{secret}", sent=link.masked_email or "", trouble=[trouble])
        page = self._answers.page(request, view, setting, error.status)
        page.headers.update(error.headers)
        return page

    async def _show(self, request: Request, secret: str, link: LinkView, status: int | None = None) -> Response:
        setting = await self._setting(request, link)
        view, usual = self._view(link, setting, f"/l/{secret}")
        return self._answers.page(request, view, setting, status or usual)

    def _view(self, link: LinkView, setting: Setting, here: str) -> tuple[PageView, int]:
        if link.state is LinkState.FRESH:
            return start_view(link, setting.theme, setting.language, here), 200
        if link.state is LinkState.SPENT and link.masked_email is not None:
            return code_view(link, setting.language, here), 200
        status = 404 if link.state is LinkState.UNKNOWN else 200 if link.state in _GOOD else 410
        return link_view(link.state, setting.theme, setting.language), status

    def _enter(self, secret: str, session: EndUserSession) -> Response:
        response = RedirectResponse(address(session.execution_id), 303)
        self._browsers.bind(response, session, f"/l/{secret}")
        return response

    async def _setting(self, request: Request, link: LinkView) -> Setting:
        return await self._answers.setting(
            request, link.workspace_id, named=link.languages, locale=link.locale, place=link.execution_id
        )


def _wait(error: PasserelleError) -> str:
    """`45 s`, `12 min`, `20 h`: how long until a request may come again."""
    seconds = int(error.headers.get("Retry-After", "60"))
    if seconds <= 120:
        return f"{seconds}\u00a0s"
    minutes = -(-seconds // 60)
    return f"{minutes}\u00a0min" if minutes <= 120 else f"{-(-minutes // 60)}\u00a0h"


_GOOD: Final = frozenset({LinkState.FINISHED, LinkState.SPENT})
