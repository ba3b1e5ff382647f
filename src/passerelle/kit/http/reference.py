"""The API's reference at `/docs`: one page, rendered here, that needs no script and no other host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import FastAPI, Request, Response
from jinja2 import Environment
from markdown_it import MarkdownIt
from markupsafe import Markup

from passerelle.kit.errors import CATALOGUE, Code, PasserelleError
from passerelle.kit.grants import act_for, by_itself
from passerelle.kit.http.addresses import public_url
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.authentication import authorization, principal
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.http.openapi import describe
from passerelle.kit.http.permissions import Public
from passerelle.kit.http.reference_view import groups_of
from passerelle.kit.templating import environment

_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = "/docs/reference.css"

# `js-default` leaves HTML in the text as text, and refuses `javascript:` links.
_markdown = MarkdownIt("js-default").enable("table")


Own = Callable[[Mapping[str, Any], UUID], Awaitable[Mapping[str, Any]]]
"""From the document that all share to the one of a workspace."""

_FORM_LIMIT: Final = 10_000
# As every page's, but that its own form may be sent.
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_PRIVATE: Final = {"Cache-Control": "private, no-store", "Vary": "Authorization, Cookie"}
_SHARED: Final = {"Vary": "Authorization, Cookie"}


def install(app: FastAPI, own: Own | None = None) -> None:
    """Serve `/docs` and `/openapi.json`, which describes bodies, errors and credentials as well.

    own     adds what only the caller's workspace has, for those who send credentials
    """

    @lru_cache(maxsize=8)
    def openapi(version: int | None = None) -> dict[str, Any]:
        return describe(app, version)

    @lru_cache(maxsize=8)
    def page(base_url: str) -> str:
        return render(openapi(), base_url, CATALOGUE.values(), asks=own is not None)

    async def of_caller(request: Request, version: int | None = None) -> Mapping[str, Any] | None:
        """The document of the caller's workspace; None for who neither sends credentials nor has signed in."""
        signed_in = getattr(request.state, "principal", None) is not None
        if own is None or (authorization(request.scope) is None and not signed_in):
            return None
        caller = await principal(request)
        with by_itself():
            act_for(caller, None)
            return await own(openapi(version), caller.workspace_id)

    async def document(request: Request, version: Literal["1", "2"] | None = None) -> Response:
        number = None if version is None else int(version)
        mine = await of_caller(request, number)
        return json_answer(openapi(number), headers=_SHARED) if mine is None else json_answer(mine, headers=_PRIVATE)

    async def docs(request: Request) -> Response:
        mine, base_url = await of_caller(request), public_url(request)
        if mine is None:
            return _html(page(base_url), headers=_SHARED)
        return _html(render(mine, base_url, CATALOGUE.values()), headers=_PRIVATE)

    async def docs_by_form(request: Request) -> Response:
        # Browsers send no header of one's own: the form stands for it, in the body, where no log sees it.
        raw = await receive_body(request.scope, request.receive, limit=_FORM_LIMIT)
        token = parse_qs(raw.decode("latin-1")).get("token", [""])[0].strip()
        try:
            caller = await request.app.state.authenticator.authenticate(token.encode() or None)
        except PasserelleError as refused:
            text = render(
                openapi(), public_url(request), CATALOGUE.values(), asks=True, refusal=refused.problems[0].message
            )
            return _html(text, 401, headers=_PRIVATE)
        assert own is not None
        with by_itself():
            act_for(caller, None)
            mine = await own(openapi(), caller.workspace_id)
        return _html(render(mine, public_url(request), CATALOGUE.values()), headers=_PRIVATE)

    async def style(request: Request) -> Response:
        return Response(_stylesheet(), media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI wants its document to be replaced
    app.add_api_route("/openapi.json", document, include_in_schema=False, dependencies=[Public])
    app.add_api_route("/docs", docs, include_in_schema=False, dependencies=[Public])
    if own is not None:
        app.add_api_route("/docs", docs_by_form, methods=["POST"], include_in_schema=False, dependencies=[Public])
    app.add_api_route(_STYLE, style, include_in_schema=False, dependencies=[Public])


def _html(text: str, status: int = 200, *, headers: Mapping[str, str]) -> Response:
    return Response(text, status, {**headers, "Content-Security-Policy": _POLICY}, "text/html")


def render(
    document: Mapping[str, Any],
    base_url: str,
    codes: Iterable[Code] = (),
    *,
    asks: bool = False,
    refusal: str | None = None,
) -> str:
    """The page for any OpenAPI 3.1 document.

    base_url    where the examples send their calls
    asks        whether the page asks for credentials, to show what the caller's workspace has
    refusal     why those that were given are not taken
    """
    return (
        _environment()
        .get_template("reference.html")
        .render(
            info=document["info"],
            groups=groups_of(document, base_url),
            codes=sorted(codes, key=lambda code: code.name),
            style=_STYLE,
            asks=asks,
            refusal=refusal,
        )
    )


def markdown_page(title: str, text: str) -> str:
    """A page of text in the reference's looks."""
    return _environment().get_template("page.html").render(title=title, text=text, style=_STYLE)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(_TEMPLATES)
    made.filters["markdown"] = lambda text: Markup(_markdown.render(text))  # noqa: S704 - escaped by it
    made.filters["inline"] = lambda text: Markup(_markdown.renderInline(text))  # noqa: S704 - likewise
    return made


@lru_cache(maxsize=1)
def _stylesheet() -> str:
    return (_TEMPLATES / "reference.css").read_text()
