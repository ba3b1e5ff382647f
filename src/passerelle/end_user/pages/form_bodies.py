"""Form bodies, read without surprises: bounded, in UTF-8, nothing left out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final
from urllib.parse import parse_qsl, unquote

from fastapi import Request
from starlette.datastructures import UploadFile

from passerelle.kit.errors import Code
from passerelle.kit.http.bodies import BODY_TOO_LARGE
from passerelle.kit.http.multipart import read_form

FORM_UNREADABLE: Final = Code("FORM_UNREADABLE", 400, "The body is not a form as browsers send it.")

FORM_LIMIT: Final = 1_000_000
"""Bytes of a form without files."""
_MOST_FIELDS: Final = 10_000
_CHUNK: Final = 1 << 18


def pairs_of(body: bytes) -> list[tuple[str, str]]:
    """Names and values of an `application/x-www-form-urlencoded` body. Raises FORM_UNREADABLE."""
    try:
        text = body.decode("ascii")
        return parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise FORM_UNREADABLE.error("the form cannot be read: load the page again and send it once more") from None


def file_name(request: Request) -> str:
    """The name of a file that is the whole body; the script sends it encoded, for headers are ASCII."""
    try:
        return unquote(request.headers.get("x-file-name", ""), errors="strict")
    except UnicodeDecodeError:
        return ""


async def files_of(request: Request, *, largest: int, most: int) -> tuple[dict[str, str], list[UploadFile]]:
    """Fields and files of a multipart form; files without a name were not chosen.

    Raises BODY_TOO_LARGE or FORM_UNREADABLE. Whoever asks closes the files.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise FORM_UNREADABLE.error("send files as `multipart/form-data`")
    try:
        form = await read_form(request, _bounded(request, largest), max_files=most)
    except ValueError:
        raise FORM_UNREADABLE.error("the form cannot be read: load the page again and send it once more") from None
    found = form.multi_items()
    fields = {name: value for name, value in found if isinstance(value, str)}
    return fields, [value for _, value in found if isinstance(value, UploadFile) and value.filename]


async def chunks_of(file: UploadFile) -> AsyncIterator[bytes]:
    """A file that was received, in parts."""
    while chunk := await file.read(_CHUNK):
        yield chunk


async def _bounded(request: Request, largest: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > largest:
            raise BODY_TOO_LARGE.error(f"the files are larger than {largest:,} bytes in all")
        yield chunk
