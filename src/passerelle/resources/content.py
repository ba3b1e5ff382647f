"""What a file is, told by its content. The name is only believed where the content agrees."""

from __future__ import annotations

import mimetypes
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import puremagic

HEAD: Final = 8_192
"""Bytes that are looked at."""
UNKNOWN: Final = "application/octet-stream"

# Beginnings that are as free as any text: nothing can be told from them.
_FREE: Final = frozenset({"", ".txt", ".csv", ".json", ".xml", ".html", ".htm", ".svg", ".md", ".yaml", ".eml"})
_NAMED: Final = {
    "application/pdf": (".pdf",),
    "image/avif": (".avif",),
    "image/bmp": (".bmp", ".dib"),
    "image/gif": (".gif",),
    "image/heic": (".heic", ".heif", ".hif"),
    "image/heif": (".heif", ".heic", ".hif"),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif"),
    "image/png": (".png",),
    "image/tiff": (".tif", ".tiff"),
    "image/webp": (".webp",),
}
"""What may be renamed by its content, for nothing else is read from its name: the extension, and others that fit."""
_HEVC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_BEFORE_PDF: Final = 1_024
"""Bytes that may stand before `%PDF-`, as readers of PDF have it."""
_TEXT: Final = ("text/", "application/json", "application/xml", "application/yaml", "image/svg+xml", "message/rfc822")


def type_of_content(name: str, head: bytes) -> str:
    """The media type of a file that begins with `head`. Raises `ValueError` where `name` says something else."""
    extension = PurePath(name).suffix.lower()
    claimed = mimetypes.guess_type(name)[0]
    told = _told(extension, head)
    if told is not None:
        if extension in _known_extensions() and extension not in _NAMED[told]:
            raise ValueError(f"its content is of type {told}, not what `{extension}` says")
        return told
    found = _matches(head)
    if extension in _known_extensions():
        if extension not in {match.extension for match in found}:
            raise ValueError(f"its content is {_described(head, found)}, not what `{extension}` says")
        return claimed or next(match.mime_type for match in found if match.extension == extension) or UNKNOWN
    if claimed is not None and claimed.startswith(_TEXT):
        if not _is_text(head):
            raise ValueError(f"its content is {_described(head, found)}, not the text that `{extension}` says")
        return claimed
    return _type(head, found)


def rightly_named(name: str, head: bytes) -> str:
    """The name that a picture or a PDF should have by its content, where it has another extension or none.

    Any other file has the name that it has.
    """
    extension = PurePath(name).suffix
    found = _told(extension.lower(), head) or _type(head, _matches(head))
    fitting = _NAMED.get(found)
    if fitting is None or extension.lower() in fitting:
        return name
    return name.removesuffix(extension if extension.lower() in _known_extensions() else "") + fitting[0]


def _told(extension: str, head: bytes) -> str | None:
    """The type of what phones and scanners write in more ways than are listed anywhere."""
    if b"%PDF-" in head[: _BEFORE_PDF + 5 if extension == ".pdf" else 5]:
        return "application/pdf"
    if head[4:8] != b"ftyp":
        return None
    # ISO/IEC 14496-12: the size of the box, `ftyp`, a brand, its version, and the brands that the file fits as well.
    box = head[: int.from_bytes(head[:4])]
    brands = {box[8:12], *(box[place : place + 4] for place in range(16, len(box), 4))}
    if brands & {b"avif", b"avis"}:
        return "image/avif"
    if brands & _HEVC and brands & {b"mif1", b"msf1", *_HEVC}:
        return "image/heic"
    return "image/heif" if brands & {b"mif1", b"msf1"} else None


def _matches(head: bytes) -> list[puremagic.PureMagicWithConfidence]:
    import puremagic  # noqa: PLC0415 - it reads its table when it is loaded, which is needed for files alone

    try:
        return list(puremagic.magic_string(head))
    except (puremagic.PureError, ValueError):
        return []


def _type(head: bytes, found: list[puremagic.PureMagicWithConfidence]) -> str:
    if _is_text(head):
        return "text/plain"
    return next((match.mime_type for match in found if match.mime_type), UNKNOWN)


def _described(head: bytes, found: list[puremagic.PureMagicWithConfidence]) -> str:
    if _is_text(head):
        return "text"
    if head.startswith(b"PK\x03\x04"):
        return "a ZIP archive"
    return next((f"of type {match.mime_type}" for match in found if match.mime_type), "of no known type")


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        # The last character may be cut.
        head[: max(len(head) - 3, 0) if len(head) == HEAD else len(head)].decode()
    except UnicodeDecodeError as error:
        return len(head) == HEAD and error.start >= HEAD - 8
    return True


@lru_cache(maxsize=1)
def _known_extensions() -> frozenset[str]:
    """Extensions whose files can be told by how they begin or end."""
    from puremagic.main import magic_footer_array, magic_header_array  # noqa: PLC0415 - as above

    known = {match.extension for match in (*magic_header_array, *magic_footer_array)}
    return frozenset(known) - _FREE
