"""What a file is, told by its content. The name is only believed where the content agrees."""

from __future__ import annotations

import mimetypes
from functools import lru_cache
from pathlib import PurePath
from typing import Final

import puremagic
from puremagic.main import magic_footer_array, magic_header_array

HEAD: Final = 8_192
"""Bytes that are looked at."""
UNKNOWN: Final = "application/octet-stream"

# Beginnings that are as free as any text: nothing can be told from them.
_FREE: Final = frozenset({"", ".txt", ".csv", ".json", ".xml", ".html", ".htm", ".svg", ".md", ".yaml", ".eml"})
_TEXT: Final = ("text/", "application/json", "application/xml", "application/yaml", "image/svg+xml", "message/rfc822")


def type_of_content(name: str, head: bytes) -> str:
    """The media type of a file that begins with `head`. Raises `ValueError` where `name` says something else."""
    extension = PurePath(name).suffix.lower()
    claimed = mimetypes.guess_type(name)[0]
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


def _matches(head: bytes) -> list[puremagic.PureMagicWithConfidence]:
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
    known = {match.extension for match in (*magic_header_array, *magic_footer_array)}
    return frozenset(known) - _FREE
