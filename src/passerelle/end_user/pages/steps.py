"""`/x/{execution}`: the screens of an execution, for the browser that it is bound to."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from passerelle.end_user.pages.actions import StepActions, SubmissionOutcome, draft_of
from passerelle.end_user.pages.answers import FRAGMENT, PageAnswers, Setting
from passerelle.end_user.pages.browsers import Browsers, BrowserVisit
from passerelle.end_user.pages.error_pages import on_a_page
from passerelle.end_user.pages.form_bodies import FORM_LIMIT, pairs_of
from passerelle.end_user.pages.form_steps import about_of, form_of
from passerelle.end_user.pages.forms.posted import Posted
from passerelle.end_user.pages.forms.problems import sentences
from passerelle.end_user.pages.presenters import FRESHLY, Submission
from passerelle.end_user.pages.presenters.upload import document_of
from passerelle.end_user.pages.rendering import render
from passerelle.end_user.pages.screen_events import changed
from passerelle.end_user.pages.uploading import document_in, keep_one, keep_several, sentence_of
from passerelle.end_user.pages.views import address, agreed_files, phone_view, screen_view
from passerelle.end_user.session.consent_copies import AgreedTexts
from passerelle.end_user.session.consent_endpoints import pdf_download
from passerelle.end_user.session.errors import STEP_NOT_CURRENT
from passerelle.end_user.session.models import Screen, StepView
from passerelle.end_user.session.service import EndUserSessions
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.http.permissions import Public
from passerelle.kit.ids import parse_id
from passerelle.links.service import Links
from passerelle.resources.endpoints import download
from passerelle.resources.uploads import keepable
from passerelle.workflows.errors import WORKFLOW_NOT_FOUND

PUBLIC: Final = ("/x/",)


def router(
    links: Links, sessions: EndUserSessions, agreed: AgreedTexts, browsers: Browsers, answers: PageAnswers
) -> APIRouter:
    """Everything below `/x`."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])
    steps = _Steps(links, sessions, agreed, browsers, answers)
    page = on_a_page(answers)
    here = "/x/{execution_id}"
    step = f"{here}/{{step}}/{{number}}"
    routes.add_api_route(here, page(steps.show), methods=["GET", "HEAD"])
    routes.add_api_route(f"{here}/events", steps.events, methods=["GET"])
    routes.add_api_route(step, page(steps.send), methods=["POST"])
    routes.add_api_route(f"{step}/draft", steps.draft, methods=["POST"])
    routes.add_api_route(f"{step}/check", steps.check, methods=["POST"])
    routes.add_api_route(f"{step}/text", page(steps.text), methods=["GET"])
    routes.add_api_route(f"{step}/agreed", page(steps.agreed), methods=["GET"])
    routes.add_api_route(f"{step}/files", page(steps.files), methods=["POST"])
    routes.add_api_route(f"{step}/files", steps.file, methods=["PUT"])
    routes.add_api_route(f"{step}/files/{{resource_id}}", steps.picture, methods=["GET"])
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
    def __init__(
        self, links: Links, sessions: EndUserSessions, agreed: AgreedTexts, browsers: Browsers, answers: PageAnswers
    ) -> None:
        self._links = links
        self._sessions = sessions
        self._agreed = agreed
        self._browsers = browsers
        self._answers = answers
        self._actions = StepActions(sessions, links.copies)

    # What is asked for most takes nothing but the request, as the page at a link.

    async def show(self, request: Request) -> Response:
        """The screen as it is now."""
        execution_id = _execution(request)
        visit = await self._browsers.visit(request, execution_id)
        screen = await self._sessions.screen(visit.session.workspace_id, execution_id)
        return await self._page(request, visit, screen)

    async def send(self, request: Request) -> Response:
        """What somebody did at a step, whichever button it was."""
        execution_id, step, number = _place(request)
        visit = await self._browsers.visit(request, execution_id)
        pairs = pairs_of(await receive_body(request.scope, request.receive, limit=FORM_LIMIT))
        posted = Posted.of(pairs)
        self._browsers.require_own(request, visit, posted.last("_token"))
        if visit.session.step is not None and posted.last("_action") == "back":
            return RedirectResponse(address(execution_id), 303)  # a single step was lent
        screen = await self._sessions.screen(visit.session.workspace_id, execution_id)
        screen = replace(screen, proof=visit.session.kind)
        setting = await self._answers.setting_of(request, screen)
        if screen.step is None or (screen.step.id, screen.step.visit) != (step, number):
            return await self._moved_on(request, visit, screen, setting)
        if posted.last("_action") == "phone" and visit.session.step is None:
            url = await self._links.handovers.offer(screen.workspace_id, execution_id, step, number)
            return self._answers.page(request, phone_view(screen, setting.language, url), setting)
        try:
            outcome = await self._actions.act(screen, screen.step, posted, setting.language)
        except PasserelleError as error:
            if error.problems[0].code != STEP_NOT_CURRENT.name:
                raise
            now = await self._sessions.screen(visit.session.workspace_id, execution_id)
            return await self._moved_on(request, visit, now, setting)
        return await self._after(request, visit, outcome, setting)

    async def draft(self, request: Request) -> Response:
        """Keep what was typed so far. Says which fields these values hide, and what does not fit yet."""
        screen, step, posted = await self._typed(request)
        language = (await self._answers.setting_of(request, screen)).language
        draft = draft_of(step, posted, language)
        await self._sessions.save(
            screen.workspace_id, screen.execution_id, step.id, step.visit, draft, seen=screen.seen
        )
        form = form_of(step)
        if form is None:
            return json_answer({"hidden": [], "problems": {}})
        values = {**step.values, **draft}
        preview = self._sessions.preview(screen, values)
        problems = sentences(form, preview.problems, language, values, about_of(step))
        return json_answer({"hidden": list(preview.hidden), "problems": problems})

    async def check(self, request: Request) -> Response:
        """What somebody outside says of one field, `_field`, with the other values as they are typed."""
        screen, step, posted = await self._typed(request)
        language = (await self._answers.setting_of(request, screen)).language
        form = form_of(step)
        if form is None:
            return json_answer({"problems": {}})
        values = {**step.values, **draft_of(step, posted, language)}
        found = await self._sessions.look_up(screen, values, posted.last("_field") or "")
        return json_answer({"problems": sentences(form, found, language, values)})

    async def _typed(self, request: Request) -> tuple[Screen, StepView, Posted]:
        """The screen, its step and what stands in its form, where somebody has not sent it yet."""
        execution_id, step, number = _place(request)
        visit = await self._browsers.visit(request, execution_id)
        posted = Posted.of(pairs_of(await receive_body(request.scope, request.receive, limit=FORM_LIMIT)))
        self._browsers.require_own(request, visit, posted.last("_token"))
        screen = await self._sessions.screen(visit.session.workspace_id, execution_id)
        if screen.step is None or (screen.step.id, screen.step.visit) != (step, number):
            raise STEP_NOT_CURRENT.error("this part was sent already: load the page again")
        return screen, screen.step, posted

    async def text(self, request: Request, execution_id: UUID, step: str, number: int) -> Response:
        """The whole of what is agreed to, as a file to keep."""
        visit = await self._browsers.visit(request, execution_id)
        screen = await self._sessions.screen(visit.session.workspace_id, execution_id)
        setting = await self._answers.setting_of(request, screen)
        here = screen.step
        if here is None or (here.id, here.visit) != (step, number) or here.kind != "consent":
            return await self._moved_on(request, visit, screen, setting)
        t = setting.language
        title = t.of(here.config["title"])
        values = {"t": t, "theme": setting.theme, "title": title, "text": t.of(here.config["text"])}
        html = render("kept_text.html", {**values, "version": here.config["version"]})
        name = f"attachment; filename*=UTF-8''{quote(keepable(f'{title}.html'))}"
        headers = {"Content-Disposition": name, "Content-Security-Policy": "default-src 'none'; sandbox"}
        return Response(html, headers=headers, media_type="text/html; charset=utf-8")

    async def agreed(self, request: Request, execution_id: UUID, step: str, number: int) -> Response:
        """What was agreed to before, as a file to keep."""
        visit = await self._browsers.visit(request, execution_id)
        if visit.session.step is not None:  # a single step was lent
            raise WORKFLOW_NOT_FOUND.error("there is no such page")
        await self._sessions.require_copy(execution_id)
        return pdf_download(await self._agreed.copy(visit.session.workspace_id, execution_id, step, number))

    async def files(self, request: Request, execution_id: UUID, step: str, number: int) -> Response:
        """Files of a plain form."""
        visit = await self._browsers.visit(request, execution_id)
        screen = await self._sessions.screen(visit.session.workspace_id, execution_id)
        setting = await self._answers.setting_of(request, screen)
        here = screen.step
        if here is None or (here.id, here.visit) != (step, number) or here.kind != "upload":
            return await self._moved_on(request, visit, screen, setting)
        wrong = await keep_several(request, self._sessions, visit, self._browsers, here, setting.language)
        if not wrong:
            return RedirectResponse(address(execution_id), 303)
        now = await self._sessions.screen(visit.session.workspace_id, execution_id)
        return await self._page(request, visit, now, Submission(general=wrong), 400)

    async def file(self, request: Request, execution_id: UUID, step: str, number: int) -> Response:
        """One file, as the script sends it."""
        visit = await self._browsers.visit(request, execution_id)
        self._browsers.require_own(request, visit, request.headers.get("x-passerelle-token"))
        try:
            await keep_one(request, self._sessions, visit.session, step, number)
        except PasserelleError as error:
            screen = await self._sessions.screen(visit.session.workspace_id, execution_id)
            setting = await self._answers.setting_of(request, screen)
            here = screen.step if screen.step is not None and screen.step.kind == "upload" else None
            document = document_of(here, document_in(request)) if here is not None else None
            sentence = sentence_of(error, document, setting.language)
            if sentence is None:
                raise
            return json_answer({"problem": sentence}, error.status, headers=error.headers)
        return json_answer({}, 201)

    async def picture(
        self, request: Request, execution_id: UUID, step: str, number: int, resource_id: UUID
    ) -> Response:
        """A small picture of a file that was sent."""
        visit = await self._browsers.visit(request, execution_id)
        place = (visit.session.workspace_id, execution_id, step, number)
        answer = download(*await self._sessions.preview_file(*place, resource_id))
        answer.headers["Cache-Control"] = "private, max-age=3600"
        return answer

    async def events(self, request: Request, execution_id: UUID, seq: int) -> Response:
        """Word of a change, as server-sent events."""
        visit = await self._browsers.visit(request, execution_id)
        stream = changed(request, self._sessions, visit.session, seq)
        # Buffering proxies would keep the word for themselves.
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def _after(
        self, request: Request, visit: BrowserVisit, outcome: SubmissionOutcome, setting: Setting
    ) -> Response:
        execution_id = visit.session.execution_id
        if outcome.language is not None:
            now = await self._sessions.screen(visit.session.workspace_id, execution_id)
            setting = await self._answers.setting_of(request, now, outcome.language)
        if outcome.redirects and FRAGMENT not in request.headers:
            response: Response = RedirectResponse(address(execution_id) + outcome.anchor, 303)
        else:
            screen = outcome.screen or await self._sessions.screen(visit.session.workspace_id, execution_id)
            attempt = replace(outcome.attempt, anchor=outcome.anchor)
            response = await self._answer(request, visit, screen, setting, attempt, outcome.status)
            response.headers.update(outcome.headers)
        if outcome.language is not None:
            self._answers.keep_language(response, outcome.language, execution_id)
        return response

    async def _moved_on(self, request: Request, visit: BrowserVisit, screen: Screen, setting: Setting) -> Response:
        attempt = Submission(notice=setting.language("problem.moved_on"))
        return await self._answer(request, visit, screen, setting, attempt, STEP_NOT_CURRENT.status)

    async def _page(
        self, request: Request, visit: BrowserVisit, screen: Screen, attempt: Submission = FRESHLY, status: int = 200
    ) -> Response:
        setting = await self._answers.setting_of(request, screen)
        return await self._answer(request, visit, screen, setting, attempt, status)

    async def _answer(
        self, request: Request, visit: BrowserVisit, screen: Screen, setting: Setting, attempt: Submission, status: int
    ) -> Response:
        copy_to = None
        if screen.step is not None and screen.step.kind == "consent":
            copy_to = await self._links.copies.address(screen.workspace_id, screen.execution_id)
        view = screen_view(screen, setting.theme, setting.language, visit, attempt, copy_to)
        if visit.session.step is None and screen.agreed:
            view = replace(view, values={**view.values, "agreed": agreed_files(screen, setting.language)})
        return self._answers.page(request, view, setting, status)
