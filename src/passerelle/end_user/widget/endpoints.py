"""The widget's script, and below `/w` the page in its frame."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from jinja2 import Environment
from pydantic import Field

from passerelle.end_user.pages.answers import NOBODY, PageAnswers
from passerelle.end_user.pages.assets import asset_path
from passerelle.end_user.pages.error_pages import on_a_page
from passerelle.end_user.pages.views import state_view
from passerelle.kit.clock import Clock, iso, system_clock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.bodies import Body, read_raw_json, validate
from passerelle.kit.http.permissions import Public
from passerelle.kit.templating import environment
from passerelle.links.errors import WIDGET_TOKEN_EXPIRED, WIDGET_TOKEN_INVALID, WIDGET_TOKEN_SPENT
from passerelle.links.models import EndUserSession
from passerelle.links.service import Links
from passerelle.themes.models import Theme

_HERE: Final = Path(__file__).parent
_SHORTLY: Final = "public, max-age=300"
_ANY_SITE: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
)
_KINDS: Final = {
    WIDGET_TOKEN_SPENT.name: ("token_spent", "lock"),
    WIDGET_TOKEN_EXPIRED.name: ("token_expired", "clock"),
    WIDGET_TOKEN_INVALID.name: ("token_invalid", "link"),
}


class OpenBody(Body):
    """What the frame was handed by the page around it."""

    token: str = Field(max_length=8_000, repr=False)


def router(links: Links, answers: PageAnswers, clock: Clock = system_clock) -> APIRouter:
    """`/widget.js` and its given name, its types, and the frame: `/w/` is `/w` here, as every address."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])
    frame = _Frame(links, answers, clock)
    page = on_a_page(answers)
    for path in ("/widget.js", "/transactionlink-widget.umd.js"):
        routes.add_api_route(path, _script, methods=["GET", "HEAD"])
    routes.add_api_route("/widget.d.ts", _types, methods=["GET", "HEAD"])
    routes.add_api_route("/w", page(frame.page_alone), methods=["GET", "HEAD"])
    routes.add_api_route("/w/{workspace_id}", page(frame.page), methods=["GET", "HEAD"])
    routes.add_api_route("/w/{workspace_id}/open", frame.open, methods=["POST"])
    return routes


async def _script(request: Request) -> Response:
    """The script, for pages of any site: it does nothing but ask for the frame."""
    return _file(request, "widget.js", "text/javascript; charset=utf-8")


async def _types(request: Request) -> Response:
    """Its types, for integrators."""
    return _file(request, "widget.d.ts", "text/plain; charset=utf-8")


class _Frame:
    """The page in the frame. Its address names the workspace, whose sites alone may show it.

    A site that names another workspace may show the page, but opens no token with it.
    """

    def __init__(self, links: Links, answers: PageAnswers, clock: Clock) -> None:
        self._links = links
        self._answers = answers
        self._clock = clock

    async def page_alone(self, request: Request) -> Response:
        """The page by itself, as in an app's web view: `/w/#token=…`, from where its script finds the workspace."""
        return await self.page(request, NOBODY)

    async def page(self, request: Request, workspace_id: UUID) -> Response:
        """The page, before it knows whom it is for."""
        setting = await self._answers.setting(request, workspace_id)
        values = {
            "t": setting.language,
            "languages": tuple(self._answers.languages.known.values()),
            "theme": setting.theme,
            "asset": asset_path,
        }
        html = _environment().get_template("frame.html").render(values)
        return Response(html, headers=_headers(setting.theme), media_type="text/html")

    async def open(self, request: Request, workspace_id: UUID) -> Response:
        """A session for a token; a screen that says what to do where there is none."""
        body = validate(await read_raw_json(request), OpenBody)
        try:
            session = await self._links.open_token(body.token, workspace_id)
        except PasserelleError as error:
            kept = await self._kept(request, workspace_id, body.token)
            if kept is None:
                return await self._refused(request, workspace_id, error)
            session = kept
        answer = json_answer(
            {
                "session": session.secret,
                "workflowId": str(session.execution_id),
                "expiresAt": iso(session.expires_at),
            }
        )
        lasts = max(0, int((session.expires_at - self._clock()).total_seconds()))
        answer.headers["Set-Cookie"] = (
            f"{_cookie(body.token)}={session.secret}; Max-Age={lasts}; Path=/w/{workspace_id}; "
            "Secure; HttpOnly; SameSite=None; Partitioned"
        )
        return answer

    async def _kept(self, request: Request, workspace_id: UUID, token: str) -> EndUserSession | None:
        """The session of a frame that its page moved or rendered anew: the frame was loaded once more then.

        Only this very token's cookie counts, which nobody but us writes, and only for the browser that opened it.
        Browsers keep one jar for each site around the frame, also those that block other sites' cookies.
        """
        secret = request.cookies.get(_cookie(token))
        session = await self._links.session(secret) if secret else None
        return session if session is not None and session.workspace_id == workspace_id else None

    async def _refused(self, request: Request, workspace_id: UUID, error: PasserelleError) -> Response:
        code = error.problems[0].code
        if code not in _KINDS:
            raise error
        setting = replace(await self._answers.setting(request, workspace_id), offered_languages=())
        key, picture = _KINDS[code]
        view = replace(state_view(key, setting.theme, setting.language, picture=picture), data={"code": code})
        return self._answers.page(request, view, setting, error.status)


def _cookie(token: str) -> str:
    return f"passerelle-{sha256(token.encode()).hexdigest()[:16]}"


def _headers(theme: Theme) -> dict[str, str]:
    return {"Content-Security-Policy": _POLICY + theme.frame_ancestors}


def _file(request: Request, name: str, media_type: str) -> Response:
    content, tag = _read(name)
    headers = {**_ANY_SITE, "Cache-Control": _SHORTLY, "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)


@cache
def _read(name: str) -> tuple[bytes, str]:
    content = (_HERE / "static" / name).read_bytes()
    return content, f'"{sha256(content).hexdigest()[:16]}"'


@cache
def _environment() -> Environment:
    return environment(_HERE / "templates")
