"""Themes over HTTP."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from passerelle.kit.http.addresses import public_url
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.permissions import Public, Requires
from passerelle.themes.schemas import ThemeAnswer, ThemeBody, theme_answer
from passerelle.themes.service import Themes

_FOREVER: Final = "public, max-age=31536000, immutable"
_SHORTLY: Final = "public, max-age=60"


def router(themes: Themes) -> APIRouter:
    """`/theme`, and below `/themes` what pages load."""
    routes = APIRouter(tags=["Theme"], route_class=ApiRoute)

    @routes.get("/theme")
    async def get_theme(request: Request, caller: Annotated[Principal, Requires("can_view_workspace")]) -> ThemeAnswer:
        """How the workspace's pages and e-mails look, and which sites may show them: every colour as it is applied."""
        return theme_answer(await themes.of(caller.workspace_id), public_url(request))

    @routes.put("/theme")
    async def put_theme(
        request: Request, caller: Annotated[Principal, Requires("can_manage_themes")], body: JsonBody[ThemeBody]
    ) -> ThemeAnswer:
        """Set the whole theme. Colours that cannot be read on one another are refused, with better ones."""
        theme = await themes.put(caller.workspace_id, body, caller.name)
        return theme_answer(theme, public_url(request))

    @routes.get("/themes/{workspace_id}/{digest}.css", include_in_schema=False, dependencies=[Public])
    async def stylesheet(workspace_id: UUID, digest: str) -> Response:
        """The theme's CSS variables. An address from before a change shows the theme of now, for a minute."""
        css = await themes.css(workspace_id)
        current = (await themes.of(workspace_id)).stylesheet.endswith(f"/{digest}.css")
        return Response(css, media_type="text/css", headers={"Cache-Control": _FOREVER if current else _SHORTLY})

    @routes.get("/themes/{workspace_id}/{digest}.{kind}", include_in_schema=False, dependencies=[Public])
    async def logo(workspace_id: UUID, digest: str, kind: str) -> Response:
        """The logo, also for e-mails; the icon and the font."""
        image = await themes.logo(workspace_id, digest)
        headers = {
            "Cache-Control": _FOREVER,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(
            image.content,
            media_type=f"font/{image.kind}" if image.kind == "woff2" else f"image/{image.kind}",
            headers=headers,
        )

    return routes
