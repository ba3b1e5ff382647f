"""Reading one file from a multipart body: larger ones go to disk while they come in, none beyond the limit."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import BinaryIO, Final, cast

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from passerelle.kit.http.bodies import content_type_of
from passerelle.kit.http.multipart import read_form
from passerelle.kit.text import readable
from passerelle.resources.content import HEAD, rightly_named, type_of_content
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
LONGEST_NAME_BYTES: Final = 240
"""Of a name in UTF-8: a file system takes 255, and stores add some while they write."""
_LONGEST_EXTENSION: Final = 20
_LONGEST_SHOWN: Final = 500
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
    parts: tuple[tuple[str, str], ...] = ()
    """The other parts of the body."""


@asynccontextmanager
async def received(request: Request, *, largest: int = LARGEST) -> AsyncIterator[Upload]:
    """The file of the part `file`, open for as long as the body runs.

    Raises FILE_MISSING, FILE_EMPTY, FILE_TOO_LARGE, FILE_NAME_INVALID, FILE_TYPE_MISMATCH, FILE_FORM_INVALID.
    """
    if not (content_type_of(request.scope) or "").lower().startswith("multipart/form-data"):
        raise FILE_MISSING.error("send the file as `multipart/form-data`, in a part named `file`")
    try:
        form = await read_form(request, _within(request, largest), max_files=1)
    except ValueError as error:
        raise FILE_FORM_INVALID.error(f"the multipart body cannot be read: {error}") from None
    try:
        yield await _upload(form, largest)
    finally:
        await form.close()


@asynccontextmanager
async def spooled(
    name: str, stream: AsyncIterator[bytes], *, largest: int, mends: bool = False
) -> AsyncIterator[Upload]:
    """A file that comes in parts, open for as long as the body runs. One that is cut leaves nothing behind.

    mends   give it a name that can be kept and that its content agrees with, rather than refuse it

    Raises FILE_EMPTY, FILE_TOO_LARGE, FILE_NAME_INVALID, FILE_TYPE_MISMATCH, and what the stream raises.
    """
    name = keepable(name) if mends else name
    _require_name(name)
    with tempfile.SpooledTemporaryFile(max_size=_CHUNK) as file:
        size = 0
        async for chunk in stream:
            size += len(chunk)
            if size > largest:
                raise _too_large(largest)
            await asyncio.to_thread(file.write, chunk)
        yield await _looked_at(name, size, cast("BinaryIO", file), largest, mends=mends)


async def _upload(form: FormData, largest: int) -> Upload:
    part = form.get("file")
    if not isinstance(part, UploadFile) or not part.filename:
        raise FILE_MISSING.error("the body has no part `file` with a file name")
    others = tuple((key, value) for key, value in form.multi_items() if isinstance(value, str))
    return await _looked_at(part.filename, part.size or 0, part.file, largest, others)


async def _looked_at(
    name: str,
    size: int,
    file: BinaryIO,
    largest: int,
    others: tuple[tuple[str, str], ...] = (),
    *,
    mends: bool = False,
) -> Upload:
    _require_name(name)
    if size == 0:
        raise FILE_EMPTY.error(f"the file {name} has no bytes")
    if size > largest:
        raise _too_large(largest)
    head, digest = await asyncio.to_thread(_read, file)
    name = rightly_named(name, head) if mends else name
    try:
        media_type = type_of_content(name, head)
    except ValueError as error:
        raise FILE_TYPE_MISMATCH.error(f"the file {name}: {error}; send it under its own name") from None
    return Upload(name, media_type, size, digest, file, others)


async def read_again(upload: Upload) -> Upload:
    """The same, whose content was changed meanwhile."""
    _, digest = await asyncio.to_thread(_read, upload.file)
    return replace(upload, sha256=digest)


def _read(file: BinaryIO) -> tuple[bytes, bytes]:
    """How the file begins, and its SHA-256. Leaves it at its beginning."""
    file.seek(0)
    head = file.read(HEAD)
    digest = hashlib.sha256(head)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    file.seek(0)
    return head, digest.digest()


def keepable(name: str) -> str:
    """The name without its folders, signs that nobody sees, and what of it is too long; its extension stays."""
    plain = shown_name(name)
    extension = PurePath(plain).suffix
    extension = extension if len(extension) <= _LONGEST_EXTENSION else ""
    stem = plain.removesuffix(extension)[: LONGEST_NAME - _LONGEST_EXTENSION]
    while len(stem.encode()) > LONGEST_NAME_BYTES - 4 * _LONGEST_EXTENSION:
        stem = stem[:-1]
    return stem.strip() + extension if stem.strip(". ") else f"file{extension}"


def shown_name(name: str) -> str:
    """A name as its owner sees it: without folders, and on one line."""
    last = readable(name).replace("\\", "/").rpartition("/")[2]
    return "".join(char if ord(char) >= 32 and ord(char) != 127 else " " for char in last).strip()[:_LONGEST_SHOWN]


def _require_name(name: str) -> None:
    wrong = (
        not name.strip()
        or len(name) > LONGEST_NAME
        or len(name.encode(errors="replace")) > LONGEST_NAME_BYTES
        or name in (".", "..")
        or any(char in "/\\" or ord(char) < 32 or ord(char) == 127 for char in name)
    )
    if wrong:
        raise FILE_NAME_INVALID.error(
            f"a file's name has 1 to {LONGEST_NAME} characters in at most {LONGEST_NAME_BYTES} bytes, no `/`, `\\` or "
            "control characters: "
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
