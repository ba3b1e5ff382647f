"""How pages would look with a theme that is not set yet, for the editor of the dashboard. Nothing in it acts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from passerelle.end_user.pages.answers import NOBODY, PageAnswers
from passerelle.end_user.pages.browsers import BrowserVisit
from passerelle.end_user.pages.presenters.base import FRESHLY
from passerelle.end_user.pages.views import PageView, screen_view, start_view
from passerelle.end_user.session.models import Screen, StepView
from passerelle.engine.model import Status
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.fields import FIELD_INVALID
from passerelle.kit.http.permissions import Requires
from passerelle.languages.language import Language
from passerelle.links.models import EndUserSession, LinkState, LinkView
from passerelle.themes.css import css_variables
from passerelle.themes.models import Theme
from passerelle.themes.schemas import ThemeBody
from passerelle.themes.service import Themes

Shown = Literal["start", "form", "end"]
Scheme = Literal["light", "dark"]
Draft = Annotated[str, Query(max_length=4_000, description="The theme as `PUT /theme` takes it, as JSON")]

_POLICY: Final = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'self'"
_TITLE: Final = {"en": "Open an account", "pl": "Otwórz konto"}
_FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["name", "email"],
    "properties": {
        "name": {"type": "string", "title": {"en": "First and last name", "pl": "Imię i nazwisko"}},
        "email": {"type": "string", "format": "email", "title": {"en": "E-mail", "pl": "E-mail"}},
        "kind": {
            "type": "string",
            "title": {"en": "What is the account for?", "pl": "Do czego służy konto?"},
            "enum": ["everyday", "saving"],
        },
        "news": {"type": "boolean", "title": {"en": "Tell me about news", "pl": "Informuj mnie o nowościach"}},
    },
}

_NOBODYS: Final = BrowserVisit(EndUserSession("", NOBODY, NOBODY, datetime.max.replace(tzinfo=UTC), "link"), False, "")


def router(answers: PageAnswers, themes: Themes) -> APIRouter:
    """`/theme/preview` and its stylesheet."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/theme/preview")
    async def preview(
        request: Request,
        caller: Annotated[Principal, Requires("can_view_workspace")],
        draft: Draft = "{}",
        screen: Shown = "form",
        scheme: Scheme = "light",
    ) -> Response:
        """A page with made-up content."""
        theme = await themes.draft(caller.workspace_id, read_theme(draft))
        query = urlencode({"draft": draft, "scheme": scheme})
        theme = replace(theme, stylesheet=f"/theme/preview.css?{query}")
        setting = replace(await answers.setting(request, caller.workspace_id, named=tuple(_TITLE)), theme=theme)
        view = _view(screen, theme, setting.language)
        response = answers.page(request, view, setting, document="preview.html")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    @routes.get("/theme/preview.css")
    async def stylesheet(
        caller: Annotated[Principal, Requires("can_view_workspace")], draft: Draft = "{}", scheme: Scheme = "light"
    ) -> Response:
        """The draft's CSS variables."""
        theme = await themes.draft(caller.workspace_id, read_theme(draft))
        return Response(css_variables(theme.colours, theme.font, scheme), media_type="text/css")

    return routes


def read_theme(draft: str) -> ThemeBody:
    """A theme as the editor sends it. Raises FIELD_INVALID."""
    try:
        return ThemeBody.model_validate_json(draft)
    except ValidationError:
        raise FIELD_INVALID.error("`draft` is no theme: see `PUT /theme`") from None


def _view(shown: Shown, theme: Theme, t: Language) -> PageView:
    if shown == "start":
        link = LinkView(LinkState.FRESH, title=_TITLE, masked_email="a•••@example.com")
        return start_view(link, theme, t, "#")
    step = StepView(
        "account", 1, "form", {"title": _TITLE}, schema=_FORM, values={"name": "Ada Nowak"}, can_go_back=True
    )
    end = StepView("end", 1, "message", {"title": {"en": "Thank you", "pl": "Dziękujemy"}, "text": _TITLE})
    form = shown == "form"
    screen = Screen(
        NOBODY, NOBODY, None, None, tuple(_TITLE), _TITLE, Status.RUNNING if form else Status.COMPLETED, 0,
        step=step if form else None, end=None if form else end, progress=(2, 4),
    )  # fmt: skip
    return screen_view(screen, theme, t, _NOBODYS, FRESHLY)
