"""The API's reference at `/docs`: one page, rendered here, that needs no script and no other host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from passerelle.errors import CATALOGUE, Code
from passerelle.kit.http.authentication import PublicPaths
from passerelle.kit.http.openapi import describe
from passerelle.kit.http.reference_view import groups_of

_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = "/docs/reference.css"

# `js-default` leaves HTML in the text as text, and refuses `javascript:` links.
_markdown = MarkdownIt("js-default").enable("table")


def install(app: FastAPI) -> None:
    """Serve `/docs`, and let `/openapi.json` describe bodies, errors and credentials as well."""
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not described:
            described.update(describe(app, getattr(app.state, "public_paths", PublicPaths(()))))
        return described

    @lru_cache(maxsize=8)
    def page(base_url: str) -> str:
        return render(openapi(), base_url, CATALOGUE.values())

    async def docs(request: Request) -> Response:
        return Response(page(str(request.base_url).rstrip("/")), media_type="text/html")

    async def style(request: Request) -> Response:
        return Response(_stylesheet(), media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI wants its document to be replaced
    app.add_route("/docs", docs, include_in_schema=False)
    app.add_route(_STYLE, style, include_in_schema=False)


def render(document: Mapping[str, Any], base_url: str, codes: Iterable[Code] = ()) -> str:
    """The page for any OpenAPI 3.1 document. `base_url` is where the examples send their calls."""
    return (
        _environment()
        .get_template("reference.html")
        .render(
            info=document["info"],
            groups=groups_of(document, base_url),
            codes=sorted(codes, key=lambda code: code.name),
            style=_STYLE,
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
