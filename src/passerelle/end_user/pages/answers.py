"""From a screen to an answer: a whole page, or the piece that a script puts into the page that is there."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import Request, Response
from markupsafe import Markup

from passerelle.end_user.pages.assets import asset_path
from passerelle.end_user.pages.rendering import render
from passerelle.end_user.pages.views import PageView
from passerelle.end_user.session.models import Screen
from passerelle.kit.language_choice import LONGEST, region_of
from passerelle.languages.language import Language
from passerelle.languages.service import Languages, OfferedLanguage
from passerelle.themes.models import Theme
from passerelle.themes.service import Themes

FRAGMENT: Final = "X-Passerelle-Fragment"
"""Sent by the pages' script, which wants the screen alone."""
LANGUAGE: Final = "X-Passerelle-Language"
"""What the page is read in: the language of the definition's texts, and with a `/` that of the pages' own words."""
LANGUAGE_COOKIE: Final = "passerelle-language"

NOBODY: Final = UUID(int=0)
"""Has no theme of its own: what is shown at a link that nobody knows."""

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
)
_WORTH_COMPRESSING: Final = 1_500
_A_MONTH: Final = 30 * 24 * 3600
_CODE: Final = re.compile("[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Setting:
    """What surrounds a screen: the workspace's theme, the language, those that the switch offers.

    place   the execution that a choice of language is made for
    """

    theme: Theme
    language: Language
    offered_languages: tuple[OfferedLanguage, ...]
    place: UUID | None = None


class PageAnswers:
    """Makes every HTML answer of the pages."""

    def __init__(self, themes: Themes, languages: Languages, *, secure: bool) -> None:
        self._themes = themes
        self.languages = languages
        self._secure = secure

    async def setting(
        self,
        request: Request,
        workspace_id: UUID | None,
        *,
        named: Sequence[str] = (),
        locale: str | None = None,
        place: UUID | None = None,
        used: str | None = None,
        chosen: str | None = None,
    ) -> Setting:
        """The theme of a workspace, and the language for this reader.

        The first of these that there is counts, for the definition's texts and for our own words apart: what the
        switch has just been `chosen` to, `lang` in the address, what the page is in, what the reader chose in this
        execution (`place`) before, what they have `used` in it elsewhere, the execution's `locale`, what they chose
        somewhere else, what the browser wants.

        named   the languages of the definition's texts
        """
        theme = await self._themes.of(workspace_id or NOBODY)
        read, _, words = request.headers.get(LANGUAGE, "").partition("/")
        before, _, where = request.cookies.get(LANGUAGE_COOKIE, "").partition(".")
        here = before if place is not None and where == _mark(place) else None
        first, last = (chosen, request.query_params.get("lang")), (before, request.headers.get("accept-language"))
        texts = self.languages.read((*first, read, here, used, locale, *last), named) if named else ""
        language = self.languages.words((*first, words or read, here, locale, *last))
        language = language.reading(texts, region_of(request.headers.get("accept-language", "")))
        return Setting(theme, language, self.languages.offered(named), place)

    async def setting_of(self, request: Request, screen: Screen, chosen: str | None = None) -> Setting:
        """That of an execution's screen."""
        return await self.setting(
            request,
            screen.workspace_id,
            named=screen.languages,
            locale=screen.locale,
            place=screen.execution_id,
            used=screen.language,
            chosen=chosen,
        )

    def page(
        self, request: Request, view: PageView, setting: Setting, status: int = 200, *, document: str = "document.html"
    ) -> Response:
        """The screen as this request wants it."""
        t = setting.language.alone if view.own else setting.language
        failed = f"{t('page.error_prefix')} " if view.failed else ""
        steps = f"{t('page.progress', step=view.progress[0], steps=view.progress[1])} – " if view.progress else ""
        values = {
            "t": t,
            "language": f"{setting.language.page}/{setting.language.code}",
            "theme": setting.theme,
            "offered_languages": setting.offered_languages,
            "document_title": f"{failed}{view.title} – {steps}{setting.theme.name}",
            "title": view.title,
            "kind": view.template.rpartition("/")[2].removesuffix(".html"),
            "progress": view.progress,
            "calm": view.calm,
            "form": view.form,
            "data": view.data,
            "refresh": view.refresh,
            "asset": asset_path,
        }
        html = render(view.template, {**values, **view.values})
        if FRAGMENT not in request.headers:
            html = render(document, {**values, "screen": Markup(html)})  # noqa: S704 - rendered above
        response = _compressed(request, html, status)
        response.headers["Content-Security-Policy"] = _POLICY + setting.theme.frame_ancestors
        self._remember_language(request, response, setting)
        return response

    def keep_language(self, response: Response, code: str, place: UUID | None) -> None:
        """Let the browser remember what the switch was set to, and where."""
        value = code if place is None else f"{code}.{_mark(place)}"
        response.set_cookie(
            LANGUAGE_COOKIE, value, max_age=_A_MONTH, secure=self._secure, httponly=True, samesite="lax"
        )

    def _remember_language(self, request: Request, response: Response, setting: Setting) -> None:
        code = request.query_params.get("lang", "")
        if _CODE.fullmatch(code) and len(code) <= LONGEST:
            self.keep_language(response, code, setting.place)


def _mark(place: UUID) -> str:
    return place.hex[:12]


def _compressed(request: Request, html: str, status: int) -> Response:
    body = html.encode()
    headers = {"Vary": f"Accept-Encoding, Accept-Language, Cookie, {FRAGMENT}, {LANGUAGE}"}
    if len(body) > _WORTH_COMPRESSING and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 4, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, "text/html; charset=utf-8")
