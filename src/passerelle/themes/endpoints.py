"""Themes over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.themes.schemas import ThemeAnswer, ThemeBody, theme_answer
from passerelle.themes.service import Themes

PUBLIC: Final = ("/themes/",)
"""Paths that need no credentials: what pages load."""

_FOREVER: Final = "public, max-age=31536000, immutable"
_SHORTLY: Final = "public, max-age=60"


def router(themes: Themes) -> APIRouter:
    """`/theme`, and below `/themes` what pages load."""
    routes = APIRouter(tags=["Theme"], route_class=ApiRoute)

    @routes.get("/theme", response_model=ThemeAnswer)
    async def get_theme(request: Request) -> Response:
        """How the workspace's pages and e-mails look, and which sites may show them: every colour as it is applied."""
        caller = await principal(request)
        return json_answer(theme_answer(await themes.of(caller.workspace_id), _base(request)))

    @routes.put("/theme", response_model=ThemeAnswer, openapi_extra=takes(ThemeBody))
    async def put_theme(request: Request) -> Response:
        """Set the whole theme. Colours that cannot be read on one another are refused, with better ones."""
        caller = await principal(request)
        body = await read(request, ThemeBody)
        theme = await themes.put(caller.workspace_id, body, caller.name)
        return json_answer(theme_answer(theme, _base(request)))

    @routes.get("/themes/{workspace_id}/{digest}.css", include_in_schema=False)
    async def stylesheet(workspace_id: UUID, digest: str) -> Response:
        """The theme's CSS variables. An address from before a change shows the theme of now, for a minute."""
        css = await themes.css(workspace_id)
        current = (await themes.of(workspace_id)).stylesheet.endswith(f"/{digest}.css")
        return Response(css, media_type="text/css", headers={"Cache-Control": _FOREVER if current else _SHORTLY})

    @routes.get("/themes/{workspace_id}/{digest}.{kind}", include_in_schema=False)
    async def logo(workspace_id: UUID, digest: str, kind: str) -> Response:
        """The logo, also for e-mails."""
        image = await themes.logo(workspace_id, digest)
        headers = {
            "Cache-Control": _FOREVER,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(image.content, media_type=f"image/{image.kind}", headers=headers)

    return routes


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")
