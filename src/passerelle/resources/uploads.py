"""Reading one file from a multipart body: larger ones go to disk while they come in, none beyond the limit."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from passerelle.kit.http.bodies import content_type_of
from passerelle.resources.content import HEAD, type_of_content
from passerelle.resources.errors import (
    FILE_EMPTY,
    FILE_FORM_INVALID,
    FILE_MISSING,
    FILE_NAME_INVALID,
    FILE_TOO_LARGE,
    FILE_TYPE_MISMATCH,
)

LARGEST: Final = 50_000_000
"""Bytes of a file where an endpoint says nothing else."""
LONGEST_NAME: Final = 200
_AROUND: Final = 20_000
"""Bytes that a body may have besides the file: boundaries, headers, other parts."""
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was received: its type by content, its size in bytes."""

    name: str
    type: str
    size: int
    sha256: bytes
    file: BinaryIO
    parts: tuple[tuple[str, str], ...]
    """The other parts of the body."""


@asynccontextmanager
async def received(request: Request, *, largest: int = LARGEST) -> AsyncIterator[Upload]:
    """The file of the part `file`, open for as long as the body runs.

    Raises FILE_MISSING, FILE_EMPTY, FILE_TOO_LARGE, FILE_NAME_INVALID, FILE_TYPE_MISMATCH, FILE_FORM_INVALID.
    """
    if not (content_type_of(request.scope) or "").lower().startswith("multipart/form-data"):
        raise FILE_MISSING.error("send the file as `multipart/form-data`, in a part named `file`")
    parser = MultiPartParser(request.headers, _within(request, largest), max_files=1, max_fields=20)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise FILE_FORM_INVALID.error(f"the multipart body cannot be read: {error.message}") from None
    try:
        yield await _upload(form, largest)
    finally:
        await form.close()


@asynccontextmanager
async def spooled(name: str, stream: AsyncIterator[bytes], *, largest: int) -> AsyncIterator[Upload]:
    """A file that comes in parts, open for as long as the body runs. One that is cut leaves nothing behind.

    Raises FILE_EMPTY, FILE_TOO_LARGE, FILE_NAME_INVALID, FILE_TYPE_MISMATCH, and what the stream raises.
    """
    _require_name(name)
    with tempfile.SpooledTemporaryFile(max_size=_CHUNK) as file:
        size = 0
        async for chunk in stream:
            size += len(chunk)
            if size > largest:
                raise _too_large(largest)
            await asyncio.to_thread(file.write, chunk)
        yield await _looked_at(name, size, cast("BinaryIO", file), largest)


async def _upload(form: FormData, largest: int) -> Upload:
    part = form.get("file")
    if not isinstance(part, UploadFile) or not part.filename:
        raise FILE_MISSING.error("the body has no part `file` with a file name")
    others = tuple((key, value) for key, value in form.multi_items() if isinstance(value, str))
    return await _looked_at(part.filename, part.size or 0, part.file, largest, others)


async def _looked_at(
    name: str, size: int, file: BinaryIO, largest: int, others: tuple[tuple[str, str], ...] = ()
) -> Upload:
    _require_name(name)
    if size == 0:
        raise FILE_EMPTY.error(f"the file {name} has no bytes")
    if size > largest:
        raise _too_large(largest)
    head, digest = await asyncio.to_thread(_read, file)
    try:
        media_type = type_of_content(name, head)
    except ValueError as error:
        raise FILE_TYPE_MISMATCH.error(f"the file {name}: {error}; send it under its own name") from None
    return Upload(name, media_type, size, digest, file, others)


def _read(file: BinaryIO) -> tuple[bytes, bytes]:
    """How the file begins, and its SHA-256. Leaves it at its beginning."""
    file.seek(0)
    head = file.read(HEAD)
    digest = hashlib.sha256(head)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    file.seek(0)
    return head, digest.digest()


def _require_name(name: str) -> None:
    wrong = (
        not name.strip()
        or len(name) > LONGEST_NAME
        or name in (".", "..")
        or any(char in "/\\" or ord(char) < 32 or ord(char) == 127 for char in name)
    )
    if wrong:
        raise FILE_NAME_INVALID.error(
            f"a file's name has 1 to {LONGEST_NAME} characters, no `/`, `\\` or control characters: "
            f"`{name[:80]!r}` is none"
        )


async def _within(request: Request, largest: int) -> AsyncGenerator[bytes, None]:
    """The body's bytes; stops as soon as they must exceed the limit."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > largest + _AROUND:
        raise _too_large(largest)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > largest + _AROUND:
            raise _too_large(largest)
        yield chunk


def _too_large(largest: int) -> Exception:
    return FILE_TOO_LARGE.error(f"the file is larger than {largest:,} bytes, the most that this address takes")
