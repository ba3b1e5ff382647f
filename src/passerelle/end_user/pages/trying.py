"""How the pages of a definition will look that is still being written, for the builder. Nothing in it acts."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import Field

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition, Step
from passerelle.definitions.revisions.service import Revisions
from passerelle.end_user.pages.answers import NOBODY, PageAnswers
from passerelle.end_user.pages.browsers import BrowserVisit
from passerelle.end_user.pages.form_steps import about_of, form_of, parsed
from passerelle.end_user.pages.forms.posted import Posted
from passerelle.end_user.pages.forms.problems import sentences
from passerelle.end_user.pages.presenters import FRESHLY, Submission, presenters
from passerelle.end_user.pages.preview import read_theme
from passerelle.end_user.pages.views import screen_view
from passerelle.end_user.session.models import FieldProblem, Screen, StepView
from passerelle.engine.kinds import StepFailure
from passerelle.engine.model import Status
from passerelle.engine.steps.form import FormConfig
from passerelle.engine.user_kinds import AnswerRefused, UserKind
from passerelle.kit.clock import iso
from passerelle.kit.errors import Code
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.fields import pointer
from passerelle.kit.http.permissions import Requires
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.languages.language import Language
from passerelle.links.models import EndUserSession
from passerelle.themes.service import Themes

STEP_NOT_SHOWN: Final = Code(
    "STEP_NOT_SHOWN", 400, "The text has problems, or no step of that id that an end user takes part in."
)
LONGEST: Final = 900_000
_AS_WRITTEN: Final[dict[str, JsonObject]] = {
    "form": {},
    "message": {"button": None, "redirect": None},
    "consent": {"label": None, "required": True},
}
"""Kinds that can be shown as they are written, `${…}` and all, with what the kind itself would add."""
_EVIDENCE: Final[JsonObject] = {}
_NOBODYS: Final = BrowserVisit(EndUserSession("", NOBODY, NOBODY, datetime.max.replace(tzinfo=UTC), "link"), False, "")


class TryBody(Body):
    """A page to look at."""

    text: str = Field(max_length=LONGEST, description="The definition, as YAML or JSON. It is not kept.")
    step: str = Field(max_length=100, description="The step whose page is shown")
    language: str = Field(default="en", max_length=35, description="What the page is read in")
    scheme: Literal["light", "dark"] = "light"
    """Which colours of the theme."""
    theme: str = Field(default="{}", max_length=4_000, description="The theme as `PUT /theme` takes it, as JSON")
    outputs: dict[str, Any] = Field(default={}, description="What the steps before gave, by their ids")
    posted: list[tuple[str, str]] | None = Field(
        default=None, max_length=2_000, description="What was filled in, as a browser would send it; null: nothing yet"
    )


class TriedAnswer(Answer):
    """A page, and what an answer to it would be."""

    html: str
    """The whole page."""
    taken: bool
    """Whether what was filled in would be taken."""
    answer: Any = Field(description="What was filled in, as the step takes it; null where nothing was.")


def router(answers: PageAnswers, themes: Themes, revisions: Revisions) -> APIRouter:
    """`POST /definitions/preview`."""
    routes = APIRouter(include_in_schema=False, route_class=ApiRoute)

    @routes.post("/definitions/preview")
    @unaudited("it shows, and changes nothing")
    async def preview_step(
        request: Request,
        caller: Annotated[Principal, Requires("can_manage_definitions", of="definition")],
        body: JsonBody[TryBody],
    ) -> TriedAnswer:
        """The page of a step, with what was filled in."""
        compiled = await revisions.tried(caller.workspace_id, body.text)
        step = _step(compiled.definition, body.step)
        if compiled.definition is None or step is None:
            raise STEP_NOT_SHOWN.error("mend the text first, or name a step that asks somebody", "/step")
        theme = await themes.draft(caller.workspace_id, read_theme(body.theme))
        query = urlencode({"draft": body.theme, "scheme": body.scheme})
        theme = replace(theme, stylesheet=f"/theme/preview.css?{query}")
        named = tuple(compiled.definition.languages)
        setting = replace(
            await answers.setting(request, caller.workspace_id, named=named, chosen=body.language), theme=theme
        )
        t = setting.language
        shown = _shown(step, _written(compiled.document, step), body.outputs)
        submission, answer, taken = _tried(step, shown, body, t)
        view = screen_view(_screen(compiled.definition, shown, step), theme, t, _NOBODYS, submission)
        page = answers.page(request, view, setting, document="preview.html")
        return TriedAnswer(html=_plain(page), taken=taken, answer=answer)

    return routes


def _step(definition: Definition | None, step_id: str) -> Step[UserKind] | None:
    step = definition.by_id.get(step_id) if definition is not None else None
    return step.of(UserKind) if step is not None and isinstance(step.kind, UserKind) else None


def _shown(step: Step[UserKind], written: KnownJson, outputs: JsonObject) -> StepView:
    """The step as its reader sees it. `written`: what stands under its kind, shown where nothing can be put in yet."""
    scope = _scope(outputs)
    try:
        config = step.kind.show(step.config, scope)
        values = step.kind.initial(step.config, scope)
    except ExpressionError as error:
        if not isinstance(written, dict) or step.kind.name not in _AS_WRITTEN:
            raise STEP_NOT_SHOWN.error(f"the page needs more than the steps before gave: {error}", "/outputs") from None
        config, values = {**_AS_WRITTEN[step.kind.name], **written}, {}
    if not isinstance(step.config, FormConfig):
        return StepView(step.id, 1, step.kind.name, config)
    return StepView(
        step.id, 1, step.kind.name, config, step.config.form.source, values, _hidden(step.config, values, scope)
    )


def _written(document: Json, step: Step[UserKind]) -> KnownJson:
    """What stands under the step's kind. User-facing steps are never inside of others."""
    steps = document.get("steps") if isinstance(document, dict) else None
    found = [one for one in steps or () if isinstance(one, dict) and one.get("id") == step.id]
    return found[0].get(step.kind.name) if found else None


def _scope(outputs: JsonObject) -> dict[str, Any]:
    now = datetime.now(UTC)
    execution = {"id": str(NOBODY), "now": iso(now), "today": now.date().isoformat(), "language": "en"}
    return {"parameters": {}, "steps": outputs, "record": {}, "case": {}, "execution": execution}


def _hidden(config: FormConfig, values: JsonObject, scope: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        return tuple(sorted(map(pointer, config.check.hidden(values, scope))))
    except ExpressionError:
        return ()


def _tried(step: Step[UserKind], shown: StepView, body: TryBody, t: Language) -> tuple[Submission, Json, bool]:
    """What is shown of what was filled in, what it is as an answer, and whether it would be taken."""
    if body.posted is None:
        return FRESHLY, None, False
    posted = Posted.of(body.posted)
    form = form_of(shown)
    values: dict[str, Json]
    if form is None:
        values = presenters()[shown.kind].read(shown, posted, t)
    else:
        values = dict(parsed(form, posted, t, keep_blank=False).values)
    hidden = _hidden(step.config, values, _scope(body.outputs)) if isinstance(step.config, FormConfig) else ()
    try:
        step.kind.submit(step.config, _scope(body.outputs), values, _EVIDENCE, datetime.now(UTC))
    except AnswerRefused as refused:
        return _refused(shown, values, hidden, refused, t), values, False
    except (ExpressionError, StepFailure):
        return Submission(values=values, hidden=hidden), values, True
    return Submission(values=values, hidden=hidden), values, True


def _refused(
    shown: StepView, values: dict[str, Json], hidden: tuple[str, ...], refused: AnswerRefused, t: Language
) -> Submission:
    told = [
        FieldProblem("ANSWER_INVALID", one.message, pointer(one.path), one.keyword, one.parameters)
        for one in refused.findings
    ]
    form = form_of(shown)
    if form is not None:
        return Submission(values=values, hidden=hidden, problems=sentences(form, told, t, values, about_of(shown)))
    presenter = presenters()[shown.kind]
    said = {one.pointer or "": presenter.sentence(shown, one, t) for one in reversed(told)}
    return Submission(values=values, problems=said)


def _screen(definition: Definition, shown: StepView, step: Step[UserKind]) -> Screen:
    pages = [one.id for one in definition.steps if isinstance(one.kind, UserKind)]
    ends = definition.user_part.end_pages
    is_end = step.id in ends
    asking = [one for one in pages if one not in ends]
    place = asking.index(step.id) + 1 if step.id in asking else len(asking)
    return Screen(
        NOBODY, NOBODY, None, None, definition.languages, definition.title,
        Status.COMPLETED if is_end else Status.RUNNING, 0,
        step=None if is_end else replace(shown, can_go_back=place > 1), end=shown if is_end else None,
        progress=(place, len(asking)),
    )  # fmt: skip


def _plain(page: Response) -> str:
    content = bytes(page.body)
    return (gzip.decompress(content) if page.headers.get("Content-Encoding") == "gzip" else content).decode()
