"""The page that `Link` headers and refusals of version 1 name: what to do, for whoever meets them first."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Response

from passerelle.kit.http.permissions import Public
from passerelle.kit.http.reference import markdown_page

GUIDE: Final = "/docs/from-cases-to-records"
_TEXT: Final = Path(__file__).with_name("guide.md")


def router() -> APIRouter:
    """The page, which needs no credentials."""
    routes = APIRouter(dependencies=[Public])

    @routes.get(GUIDE, include_in_schema=False)
    async def guide() -> Response:
        return Response(_page(), media_type="text/html")

    return routes


@lru_cache(maxsize=1)
def _page() -> str:
    return markdown_page("From cases to records", _TEXT.read_text(encoding="utf-8"))
