"""Logos: images that are told by their content, small enough for a page that must be there at once."""

from __future__ import annotations

import base64
import binascii
import io
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import imagesize

from passerelle.kit.errors import Code, PasserelleError

LOGO_INVALID: Final = Code(
    "LOGO_INVALID", 400, "A logo, icon or font is not of a type that is taken, is too large, or is not a data URL."
)

LARGEST: Final = 30_000
"""Bytes: the first page, with everything on it, stays under 60 KB."""
LARGEST_FONT: Final = 150_000
"""Bytes: it comes after the first page, which is shown in the font's stand-in until then."""
_FONT_URL: Final = re.compile(r"data:[a-z0-9/+-]+;base64,([A-Za-z0-9+/]+={0,2})")
_LARGEST_SIDE: Final = 2_000
_DATA_URL: Final = re.compile(r"data:image/[a-z+]+;base64,([A-Za-z0-9+/]+={0,2})")
_KINDS: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    (re.compile(rb"\xff\xd8\xff"), "jpeg"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp"),
)


@dataclass(frozen=True, slots=True)
class Image:
    """A logo's bytes. `kind`: `png`, `jpeg`, `webp` or `woff2`; sides in pixels."""

    content: bytes
    kind: str
    width: int
    height: int

    @property
    def digest(self) -> str:
        """Names the content."""
        return sha256(self.content).hexdigest()[:16]


def read_data_url(text: str) -> Image:
    """The image that a `data:` address holds. Raises LOGO_INVALID."""
    found = _DATA_URL.fullmatch(text)
    if found is None:
        raise _invalid("send the logo as a data URL, `data:image/png;base64,…`, or the address that GET /theme shows")
    try:
        content = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        raise _invalid("the logo's data URL is not base64") from None
    return read(content)


def read(content: bytes) -> Image:
    """An image by its content. SVG is refused: it can carry scripts. Raises LOGO_INVALID."""
    if len(content) > LARGEST:
        raise _invalid(f"the logo has {len(content):,} bytes, at most {LARGEST:,} keep the page quick: make it smaller")
    kind = next((kind for pattern, kind in _KINDS if pattern.match(content)), None)
    if kind is None:
        hint = " (SVG can carry scripts and is not taken)" if b"<svg" in content[:1000].lower() else ""
        raise _invalid(f"the logo's content is not PNG, JPEG or WebP{hint}")
    try:
        width, height = imagesize.get(io.BytesIO(content))
    except (ValueError, OSError, IndexError):
        width, height = -1, -1
    if not (0 < width <= _LARGEST_SIDE and 0 < height <= _LARGEST_SIDE):
        raise _invalid(f"the logo is broken or has a side of more than {_LARGEST_SIDE:,} pixels")
    return Image(content, kind, width, height)


def read_font(text: str) -> Image:
    """The font that a `data:` address holds, by its content. Raises LOGO_INVALID."""
    found = _FONT_URL.fullmatch(text)
    try:
        content = base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error:
        content = b""
    if not content.startswith(b"wOF2") or len(content) > LARGEST_FONT:
        raise LOGO_INVALID.error(
            f"send the font as a data URL of a WOFF2 file of at most {LARGEST_FONT:,} bytes, or the address that "
            "GET /theme shows",
            "/fontFile",
        )
    return Image(content, "woff2", 0, 0)


def _invalid(message: str) -> PasserelleError:
    return LOGO_INVALID.error(message, "/logo")
