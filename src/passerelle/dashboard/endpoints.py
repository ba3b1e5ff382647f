"""`/app`: the one page of the dashboard, whatever address below it is asked for, and its files."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse

from passerelle.kit.errors import Code
from passerelle.kit.http.permissions import Public

DASHBOARD_FILE_NOT_FOUND: Final = Code("DASHBOARD_FILE_NOT_FOUND", 404, "The dashboard has no such file.")

BUILT: Final = Path(__file__).parent / "static"
_NOT_BUILT: Final = Path(__file__).parent / "templates" / "not_built.html"
_NONCE: Final = "%NONCE%"
_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".json": "application/json",
}
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
_FOREVER: Final = "public, max-age=31536000, immutable"
_FOR_NOW: Final = "no-cache"

_EMPTY: Final = "<!doctype html><html><head><title></title></head><body></body></html>"
# An e-mail styles itself inline, as e-mails do; the page around it may look into it. No script, form or request.
_LETTER: Final = {
    "Content-Security-Policy": "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def router(folder: Path = BUILT) -> APIRouter:
    """`/app` and everything below it. `folder`: where the built files are."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])

    @routes.api_route("/app", methods=["GET", "HEAD"])
    async def show() -> Response:
        """The page."""
        return _page(folder)

    @routes.api_route("/app/letter-frame", methods=["GET", "HEAD"])
    async def show_letter_frame() -> Response:
        """An empty page into which the builder puts an e-mail, which may do nothing but look as it looks."""
        return Response(_EMPTY, headers={**_LETTER, "Cache-Control": _FOR_NOW}, media_type="text/html")

    @routes.api_route("/app/{path:path}", methods=["GET", "HEAD"])
    async def show_below(request: Request, path: str) -> Response:
        """A file of the page; for any other address the page itself, which knows what is there."""
        if path in _names(folder):
            return _file(request, folder, path)
        if path.startswith("assets/"):
            # The page here would be taken for a script of an older release.
            raise DASHBOARD_FILE_NOT_FOUND.error("there is no such file; load the page again")
        return _page(folder)

    return routes


def policy(nonce: str) -> str:
    """What the page may do: its own scripts and styles, its own server, and nothing else."""
    return (
        "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; font-src 'self'; img-src 'self' blob: data:; frame-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _page(folder: Path) -> Response:
    nonce = secrets.token_urlsafe(16)
    built = folder / "index.html"
    headers = {
        "Content-Security-Policy": policy(nonce),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    source, status = (built, 200) if built.exists() else (_NOT_BUILT, 503)
    html = source.read_text(encoding="utf-8").replace(_NONCE, escape(nonce))
    return Response(html, status, headers=headers, media_type="text/html")


def _file(request: Request, folder: Path, path: str) -> Response:
    suffix = Path(path).suffix
    headers = {
        "Cache-Control": _FOREVER if path.startswith("assets/") else _FOR_NOW,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    accepted = request.headers.get("accept-encoding", "")
    names = _names(folder)
    for encoding, added in _ENCODINGS:
        if encoding in accepted and path + added in names:
            headers["Content-Encoding"] = encoding
            return FileResponse(folder / (path + added), headers=headers, media_type=_TYPES[suffix])
    return FileResponse(folder / path, headers=headers, media_type=_TYPES.get(suffix, "application/octet-stream"))


def _names(folder: Path) -> frozenset[str]:
    """Every file by its address: what is not in it is never looked for on the disk."""
    return _names_at(folder, *(_changed(one) for one in (folder, folder / "assets")))


def _changed(folder: Path) -> int:
    """When a file came into the folder or left it: a build beside a running server is seen at once."""
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@lru_cache(maxsize=4)
def _names_at(folder: Path, *changed: int) -> frozenset[str]:
    return frozenset(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "index.html"
    )
