"""`/x/{execution}`: the screens of an execution, for the browser that it is bound to."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from passerelle.errors import PasserelleError
from passerelle.executions.errors import WORKFLOW_NOT_FOUND
from passerelle.executions.visitor.errors import STEP_NOT_CURRENT
from passerelle.executions.visitor.models import Screen
from passerelle.executions.visitor.service import Visitor
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.ids import parse_id
from passerelle.pages.answers import FRAGMENT, Answers, Setting
from passerelle.pages.boundary import on_a_page
from passerelle.pages.browsers import Browsers, Visit
from passerelle.pages.changing import changed
from passerelle.pages.doing import Doing, Outcome
from passerelle.pages.formed import draft_of, form_of
from passerelle.pages.forms.posted import Posted
from passerelle.pages.forms.problems import sentences
from passerelle.pages.posts import FORM_LIMIT, pairs_of
from passerelle.pages.texts import languages
from passerelle.pages.uploading import keep_one, keep_several, sentence_of
from passerelle.pages.views import FRESHLY, Attempt, address, screen_view, tongues_of

PUBLIC: Final = ("/x/",)


def router(visitor: Visitor, browsers: Browsers, answers: Answers) -> APIRouter:
    """Everything below `/x`."""
    routes = APIRouter(include_in_schema=False)
    steps = _Steps(visitor, browsers, answers)
    page = on_a_page(answers)
    here = "/x/{execution_id}"
    step = f"{here}/{{step}}/{{number}}"
    routes.add_api_route(here, page(steps.show), methods=["GET", "HEAD"])
    routes.add_api_route(f"{here}/events", steps.events, methods=["GET"])
    routes.add_api_route(step, page(steps.send), methods=["POST"])
    routes.add_api_route(f"{step}/draft", steps.draft, methods=["POST"])
    routes.add_api_route(f"{step}/files", page(steps.files), methods=["POST"])
    routes.add_api_route(f"{step}/files", steps.file, methods=["PUT"])
    # A form's address, typed or loaded again.
    for path in (step, f"{step}/files"):
        routes.add_api_route(path, _to_screen, methods=["GET", "HEAD"])
    return routes


async def _to_screen(execution_id: UUID, step: str, number: int) -> Response:
    return RedirectResponse(address(execution_id), 303)


def _execution(request: Request) -> UUID:
    execution_id = parse_id(request.path_params["execution_id"])
    if execution_id is None:
        raise WORKFLOW_NOT_FOUND.error("there is no such page")
    return execution_id


def _place(request: Request) -> tuple[UUID, str, int]:
    """Execution, step and visit that the address names."""
    number: str = request.path_params["number"]
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise WORKFLOW_NOT_FOUND.error("there is no such page")
    return _execution(request), request.path_params["step"], int(number)


class _Steps:
    def __init__(self, visitor: Visitor, browsers: Browsers, answers: Answers) -> None:
        self._visitor = visitor
        self._browsers = browsers
        self._answers = answers
        self._doing = Doing(visitor)

    # What is asked for most takes nothing but the request, as the page at a link.

    async def show(self, request: Request) -> Response:
        """The screen as it is now."""
        execution_id = _execution(request)
        visit = await self._browsers.visit(request, execution_id)
        screen = await self._visitor.screen(visit.session.workspace_id, execution_id)
        return await self._page(request, visit, screen)

    async def send(self, request: Request) -> Response:
        """What somebody did at a step, whichever button it was."""
        execution_id, step, number = _place(request)
        visit = await self._browsers.visit(request, execution_id)
        pairs = pairs_of(await receive_body(request.scope, request.receive, limit=FORM_LIMIT))
        posted = Posted.of(pairs)
        self._browsers.require_own(request, visit, posted.last("_token"))
        screen = await self._visitor.screen(visit.session.workspace_id, execution_id)
        setting = await self._setting(request, screen)
        if screen.step is None or (screen.step.id, screen.step.visit) != (step, number):
            return await self._moved_on(request, visit, screen, setting)
        try:
            outcome = await self._doing.act(screen, screen.step, posted, setting.language)
        except PasserelleError as error:
            if error.problems[0].code != STEP_NOT_CURRENT.name:
                raise
            now = await self._visitor.screen(visit.session.workspace_id, execution_id)
            return await self._moved_on(request, visit, now, setting)
        return await self._after(request, visit, outcome, setting)

    async def draft(self, request: Request) -> Response:
        """Keep what was typed so far. Says which fields these values hide, and what does not fit yet."""
        execution_id, step, number = _place(request)
        visit = await self._browsers.visit(request, execution_id)
        posted = Posted.of(pairs_of(await receive_body(request.scope, request.receive, limit=FORM_LIMIT)))
        self._browsers.require_own(request, visit, posted.last("_token"))
        screen = await self._visitor.screen(visit.session.workspace_id, execution_id)
        if screen.step is None or (screen.step.id, screen.step.visit) != (step, number):
            raise STEP_NOT_CURRENT.error("this part was sent already: load the page again")
        setting = await self._setting(request, screen)
        form = form_of(screen.step)
        draft = draft_of(screen.step, form, posted, setting.language)
        place = (visit.session.workspace_id, execution_id, step, number)
        await self._visitor.save(*place, draft, seen=screen.seen)
        if form is None:
            return json_answer({"hidden": [], "problems": {}})
        preview = self._visitor.preview(screen, {**screen.step.values, **draft})
        problems = sentences(form, preview.problems, setting.language)
        return json_answer({"hidden": list(preview.hidden), "problems": problems})

    async def files(self, request: Request, execution_id: UUID, step: str, number: int) -> Response:
        """Files of a plain form."""
        visit = await self._browsers.visit(request, execution_id)
        screen = await self._visitor.screen(visit.session.workspace_id, execution_id)
        setting = await self._setting(request, screen)
        here = screen.step
        if here is None or (here.id, here.visit) != (step, number) or here.kind != "upload":
            return await self._moved_on(request, visit, screen, setting)
        wrong = await keep_several(request, self._visitor, visit, self._browsers, here, setting.language)
        if not wrong:
            return RedirectResponse(address(execution_id), 303)
        now = await self._visitor.screen(visit.session.workspace_id, execution_id)
        return await self._page(request, visit, now, Attempt(general=wrong), 400)

    async def file(self, request: Request, execution_id: UUID, step: str, number: int) -> Response:
        """One file, as the script sends it."""
        visit = await self._browsers.visit(request, execution_id)
        self._browsers.require_own(request, visit, request.headers.get("x-passerelle-token"))
        try:
            await keep_one(request, self._visitor, visit.session, step, number)
        except PasserelleError as error:
            screen = await self._visitor.screen(visit.session.workspace_id, execution_id)
            setting = await self._setting(request, screen)
            sentence = sentence_of(error, screen.step, setting.language)
            if sentence is None:
                raise
            return json_answer({"problem": sentence}, error.status, headers=error.headers)
        return json_answer({}, 201)

    async def events(self, request: Request, execution_id: UUID, seq: int) -> Response:
        """Word of a change, as server-sent events."""
        visit = await self._browsers.visit(request, execution_id)
        stream = changed(request, self._visitor, visit.session, seq)
        # Buffering proxies would keep the word for themselves.
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def _after(self, request: Request, visit: Visit, outcome: Outcome, setting: Setting) -> Response:
        execution_id = visit.session.execution_id
        if outcome.language is not None:
            setting = Setting(setting.theme, languages()[outcome.language], setting.tongues)
        if outcome.redirects and FRAGMENT not in request.headers:
            response: Response = RedirectResponse(address(execution_id) + outcome.anchor, 303)
        else:
            screen = outcome.screen or await self._visitor.screen(visit.session.workspace_id, execution_id)
            attempt = replace(outcome.attempt, anchor=outcome.anchor)
            response = self._answer(request, visit, screen, setting, attempt, outcome.status)
            response.headers.update(outcome.headers)
        if outcome.language is not None:
            self._answers.keep_language(response, outcome.language)
        return response

    async def _moved_on(self, request: Request, visit: Visit, screen: Screen, setting: Setting) -> Response:
        attempt = Attempt(notice=setting.language("problem.moved_on"))
        return self._answer(request, visit, screen, setting, attempt, STEP_NOT_CURRENT.status)

    async def _page(
        self, request: Request, visit: Visit, screen: Screen, attempt: Attempt = FRESHLY, status: int = 200
    ) -> Response:
        setting = await self._setting(request, screen)
        return self._answer(request, visit, screen, setting, attempt, status)

    def _answer(
        self, request: Request, visit: Visit, screen: Screen, setting: Setting, attempt: Attempt, status: int
    ) -> Response:
        form = form_of(screen.step)
        view = screen_view(screen, form, setting.theme, setting.language, visit.token, attempt)
        return self._answers.page(request, view, setting, status)

    async def _setting(self, request: Request, screen: Screen) -> Setting:
        return await self._answers.setting(request, screen.workspace_id, screen.locale, tongues_of(screen))
