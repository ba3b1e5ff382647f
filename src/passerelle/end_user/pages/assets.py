"""Static files: each under a name that changes with its content, compressed beforehand, kept by browsers for good."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from passerelle.kit.errors import Code
from passerelle.kit.http.permissions import Public

ASSET_NOT_FOUND: Final = Code("ASSET_NOT_FOUND", 404, "The pages have no such file.")

PUBLIC: Final = ("/assets/",)

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_FOREVER: Final = "public, max-age=31536000, immutable"
_FOR_NOW: Final = "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    name: str
    digest: str
    type: str
    plain: bytes
    compressed: bytes

    @property
    def path(self) -> str:
        """Its address, which changes with its content."""
        return f"/assets/{self.file}"

    @property
    def file(self) -> str:
        """The last part of its address."""
        stem, _, suffix = self.name.rpartition(".")
        return f"{stem}.{self.digest}.{suffix}"


def asset_path(name: str) -> str:
    """The address of a file in `static/`, for templates. Raises `KeyError`."""
    return _assets()[name].path


def weight(name: str) -> int:
    """The bytes that a browser loads for a file."""
    return len(_assets()[name].compressed)


def router() -> APIRouter:
    """`/assets/`."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])

    @routes.api_route("/assets/{name}", methods=["GET", "HEAD"])
    async def get_asset(request: Request, name: str) -> Response:
        """A file. Under a name from an older release, the present one, which is not kept."""
        stem, _, rest = name.partition(".")
        digest, _, suffix = rest.rpartition(".")
        asset = _assets().get(f"{stem}.{suffix}")
        if asset is None:
            raise ASSET_NOT_FOUND.error("there is no such file")
        return _answer(request, asset, _FOREVER if digest == asset.digest else _FOR_NOW)

    return routes


def _answer(request: Request, asset: Asset, cached: str) -> Response:
    headers = {"Cache-Control": cached, "Vary": "Accept-Encoding", "Cross-Origin-Resource-Policy": "same-origin"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.type)
    return Response(asset.plain, headers=headers, media_type=asset.type)


@cache
def _assets() -> Mapping[str, Asset]:
    return {path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


def _read(path: Path) -> Asset:
    plain = path.read_bytes()
    # Scripts name each other; the names with digests are put in, so that a new release never mixes with an old one.
    if path.suffix == ".js":
        for other in _FOLDER.glob("*.js"):
            if other != path and (imported := f'"./{other.name}"'.encode()) in plain:
                plain = plain.replace(imported, f'"./{_read(other).file}"'.encode())
    digest = sha256(plain).hexdigest()[:12]
    return Asset(path.name, digest, _TYPES[path.suffix], plain, gzip.compress(plain, 9, mtime=0))
