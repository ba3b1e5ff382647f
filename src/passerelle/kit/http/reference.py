"""The API's reference at `/docs`: one page, rendered here, that needs no script and no other host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import FastAPI, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from passerelle.errors import CATALOGUE, Code, PasserelleError
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.authentication import PublicPaths, authorization, principal
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.http.openapi import describe
from passerelle.kit.http.reference_view import groups_of

_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = "/docs/reference.css"

# `js-default` leaves HTML in the text as text, and refuses `javascript:` links.
_markdown = MarkdownIt("js-default").enable("table")


Own = Callable[[Mapping[str, Any], UUID], Awaitable[Mapping[str, Any]]]
"""From the document that all share to the one of a workspace."""

_FORM_LIMIT: Final = 10_000
_PRIVATE: Final = {"Cache-Control": "private, no-store", "Vary": "Authorization"}
_SHARED: Final = {"Vary": "Authorization"}


def install(app: FastAPI, own: Own | None = None) -> None:
    """Serve `/docs` and `/openapi.json`, which describes bodies, errors and credentials as well.

    own     adds what only the caller's workspace has, for those who send credentials
    """
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not described:
            described.update(describe(app, getattr(app.state, "public_paths", PublicPaths(()))))
        return described

    @lru_cache(maxsize=8)
    def page(base_url: str) -> str:
        return render(openapi(), base_url, CATALOGUE.values(), asks=own is not None)

    async def of_caller(request: Request) -> Mapping[str, Any] | None:
        """The document of the caller's workspace; None for who sends no credentials."""
        if own is None or authorization(request.scope) is None:
            return None
        return await own(openapi(), (await principal(request)).workspace_id)

    async def document(request: Request) -> Response:
        mine = await of_caller(request)
        return json_answer(openapi(), headers=_SHARED) if mine is None else json_answer(mine, headers=_PRIVATE)

    async def docs(request: Request) -> Response:
        mine, base_url = await of_caller(request), _base_url(request)
        if mine is None:
            return _html(page(base_url), headers=_SHARED)
        return _html(render(mine, base_url, CATALOGUE.values()), headers=_PRIVATE)

    async def docs_by_form(request: Request) -> Response:
        # Browsers send no header of one's own: the form stands for it, in the body, where no log sees it.
        raw = await receive_body(request.scope, request.receive, limit=_FORM_LIMIT)
        token = parse_qs(raw.decode("latin-1")).get("token", [""])[0].strip()
        try:
            caller = await request.scope["state"]["authenticator"].authenticate(token.encode() or None)
        except PasserelleError as refused:
            text = render(
                openapi(), _base_url(request), CATALOGUE.values(), asks=True, refusal=refused.problems[0].message
            )
            return _html(text, 401, headers=_PRIVATE)
        assert own is not None
        mine = await own(openapi(), caller.workspace_id)
        return _html(render(mine, _base_url(request), CATALOGUE.values()), headers=_PRIVATE)

    async def style(request: Request) -> Response:
        return Response(_stylesheet(), media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI wants its document to be replaced
    app.add_route("/openapi.json", document, include_in_schema=False)
    app.add_route("/docs", docs, include_in_schema=False)
    if own is not None:
        app.add_route("/docs", docs_by_form, methods=["POST"], include_in_schema=False)
    app.add_route(_STYLE, style, include_in_schema=False)


def _html(text: str, status: int = 200, *, headers: Mapping[str, str]) -> Response:
    return Response(text, status, headers, "text/html")


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


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
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["markdown"] = lambda text: Markup(_markdown.render(text))  # noqa: S704 - escaped by it
    environment.filters["inline"] = lambda text: Markup(_markdown.renderInline(text))  # noqa: S704 - likewise
    return environment


@lru_cache(maxsize=1)
def _stylesheet() -> str:
    return (_TEMPLATES / "reference.css").read_text()
