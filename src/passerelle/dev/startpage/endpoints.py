"""`/` and what its buttons do. Only `passerelle dev` has them: they act without credentials on the demo workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response
from jinja2 import Environment
from starlette.responses import RedirectResponse

from passerelle.dev.startpage.models import Tryable
from passerelle.dev.startpage.service import StartPage
from passerelle.engine.model import ENDED
from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.http.answers import uuid_text
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.http.permissions import Public
from passerelle.kit.templating import environment
from passerelle.kit.version import VERSION

FOREIGN_PAGE: Final = Code(
    "FOREIGN_PAGE", 403, "A button of the start page of `passerelle dev` was pressed by another site's page."
)

_TEMPLATES: Final = Path(__file__).parent / "templates"
_LARGEST: Final = 100_000
_PREFIX: Final = "parameter."
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
}


def router(start: StartPage) -> APIRouter:
    """`/`, `/dev/try/` and `/dev/runs/`."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])

    @routes.get("/")
    async def show() -> Response:
        """What runs and what can be tried."""
        return _start(start, await start.tryables())

    @routes.get("/dev/start.css")
    async def style() -> Response:
        """How the pages look."""
        return Response((_TEMPLATES / "start.css").read_text(encoding="utf-8"), media_type="text/css")

    @routes.post("/dev/try/{definition_id}")
    async def try_it(request: Request, definition_id: UUID) -> Response:
        """Start a definition: to the end user's page, or to what came of it."""
        _require_own_page(request, start.demo.base_url)
        body = await receive_body(request.scope, request.receive, limit=_LARGEST)
        fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
        typed = {name.removeprefix(_PREFIX): value for name, value in fields if name.startswith(_PREFIX)}
        try:
            path = await start.start(definition_id, typed)
        except PasserelleError as error:
            return _start(start, await start.failed(definition_id, typed, error), error.status)
        return RedirectResponse(path, 303)

    @routes.get("/dev/runs/{execution_id}")
    async def outcome(execution_id: UUID) -> Response:
        """What came of an execution; reloads itself while it goes on."""
        timeline = await start.outcome(execution_id)
        view = timeline.view
        values = {
            "view": view,
            "steps": timeline.runs,
            "ended": view.status in ENDED,
            "waits": bool(view.waiting_for),
            "result": _pretty(view.result),
            "error": None if view.error is None else _pretty(view.error),
        }
        return _page("run.html", values)

    return routes


def _start(start: StartPage, definitions: Sequence[Tryable], status: int = 200) -> Response:
    return _page("start.html", {"demo": start.demo, "version": VERSION, "definitions": definitions}, status)


def _require_own_page(request: Request, base_url: str) -> None:
    """Raises FOREIGN_PAGE unless the button was on our own page.

    The name that a browser asked for is no proof: another site's name may lead to this machine as well.
    """
    host = request.headers.get("host", "")
    known = urlsplit(f"//{host}").hostname in _LOOPBACK or host == urlsplit(base_url).netloc
    if not known or urlsplit(request.headers.get("origin", "")).netloc != host:
        raise FOREIGN_PAGE.error(
            f"open {base_url}/ and press the button there; if you reach this machine by another name, "
            "set PASSERELLE_PUBLIC_URL to it"
        )


def _pretty(value: Any) -> str:
    return orjson.dumps(value, default=uuid_text, option=orjson.OPT_INDENT_2).decode()


def _page(name: str, values: Mapping[str, Any], status: int = 200) -> Response:
    html = _environment().get_template(name).render(values)
    return Response(html, status, headers=_HEADERS, media_type="text/html")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return environment(_TEMPLATES)
