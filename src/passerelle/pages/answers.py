"""From a screen to an answer: a whole page, or the piece that a script puts into the page that is there."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fastapi import Request, Response
from markupsafe import Markup

from passerelle.pages.assets import asset_path
from passerelle.pages.rendering import render
from passerelle.pages.texts import Language, choose, languages
from passerelle.pages.views import View
from passerelle.themes.models import Theme
from passerelle.themes.service import Themes

FRAGMENT: Final = "X-Passerelle-Fragment"
"""Sent by the pages' script, which wants the screen alone."""
LANGUAGE: Final = "X-Passerelle-Language"
"""What the switch was set to, where no cookie can be kept: in a frame on another site."""
LANGUAGE_COOKIE: Final = "passerelle-language"

NOBODY: Final = UUID(int=0)
"""Has no theme of its own: what is shown at a link that nobody knows."""

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors "
)
_WORTH_COMPRESSING: Final = 1_500
_A_MONTH: Final = 30 * 24 * 3600


@dataclass(frozen=True)
class Setting:
    """What surrounds a screen: the workspace's theme, the language, those that the switch offers."""

    theme: Theme
    language: Language
    tongues: tuple[Language, ...]


class Answers:
    """Makes every HTML answer of the pages."""

    def __init__(self, themes: Themes, *, secure: bool) -> None:
        self._themes = themes
        self._secure = secure

    async def setting(
        self, request: Request, workspace_id: UUID | None, locale: str | None, tongues: tuple[Language, ...]
    ) -> Setting:
        """The theme of a workspace and the language for this reader: the switch, the execution's, the browser's."""
        theme = await self._themes.of(workspace_id or NOBODY)
        wishes = (
            request.query_params.get("lang"),
            request.headers.get(LANGUAGE),
            request.cookies.get(LANGUAGE_COOKIE),
            locale,
            request.headers.get("accept-language"),
        )
        return Setting(theme, choose(*wishes), tongues or tuple(languages().values()))

    def page(self, request: Request, view: View, setting: Setting, status: int = 200) -> Response:
        """The screen as this request wants it."""
        t = setting.language
        failed = f"{t('page.error_prefix')} " if view.failed else ""
        steps = f"{t('page.progress', step=view.progress[0], steps=view.progress[1])} – " if view.progress else ""
        values = {
            "t": t,
            "theme": setting.theme,
            "tongues": setting.tongues,
            "document_title": f"{failed}{view.title} – {steps}{setting.theme.name}",
            "title": view.title,
            "kind": view.template.removesuffix(".html"),
            "progress": view.progress,
            "calm": view.calm,
            "form": view.form,
            "data": view.data,
            "refresh": view.refresh,
            "asset": asset_path,
        }
        html = render(view.template, {**values, **view.values})
        if FRAGMENT not in request.headers:
            html = render("document.html", {**values, "screen": Markup(html)})  # noqa: S704 - rendered above
        response = _compressed(request, html, status)
        response.headers["Content-Security-Policy"] = _POLICY + setting.theme.frame_ancestors
        self._remember_language(request, response)
        return response

    def keep_language(self, response: Response, code: str) -> None:
        """Let the browser remember what the switch was set to."""
        response.set_cookie(LANGUAGE_COOKIE, code, max_age=_A_MONTH, secure=self._secure, httponly=True, samesite="lax")

    def _remember_language(self, request: Request, response: Response) -> None:
        code = request.query_params.get("lang", "")
        if code in languages():
            self.keep_language(response, code)


def _compressed(request: Request, html: str, status: int) -> Response:
    body = html.encode()
    headers = {"Vary": f"Accept-Encoding, Accept-Language, Cookie, {FRAGMENT}, {LANGUAGE}"}
    if len(body) > _WORTH_COMPRESSING and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 4, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, "text/html; charset=utf-8")
