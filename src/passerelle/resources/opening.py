"""Whether a file that somebody sent can be opened, and what is kept beside a picture so that it can be shown.

What a file costs to open its sender decides. It is opened in a process of its own, which ends after some seconds and
takes so much memory and no more.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, BinaryIO, Final

from passerelle.kit.errors import Code
from passerelle.kit.workshop import WorkKilledError, Workshop
from passerelle.resources.errors import FILE_ACTIVE, FILE_BROKEN, FILE_LOCKED, FILE_POSITION, FILE_TOO_MANY_PIXELS

SECONDS: Final = 20.0
"""How long one file may take to open."""
MEMORY: Final = 900_000_000
"""Bytes that opening one may take."""
PIXELS: Final = 80_000_000
"""Of a picture that is decoded whole; phones make up to 50 million in HEIC."""
JPEG_PIXELS: Final = 250_000_000
"""Of a JPEG, which can be decoded at a fraction of its size; phones make up to 200 million."""


class Rendition(StrEnum):
    """What is kept beside a picture: a JPEG without what the camera noted in it."""

    PREVIEW = "preview"
    """A small one."""
    IMAGE = "image"
    """The whole, of formats that not every browser shows."""


class Fault(StrEnum):
    """Why nobody could do anything with the file."""

    LOCKED = "locked"
    BROKEN = "broken"
    ACTIVE = "active"
    PIXELS = "pixels"
    PLACED = "placed"
    """Its position is noted where it cannot be taken out."""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """What came of opening it."""

    renditions: Mapping[Rendition, bytes] = field(default_factory=dict)
    patches: Sequence[tuple[int, bytes]] = ()
    """What to overwrite, so that the file does not tell where it was made: places and bytes."""
    fault: Fault | None = None


_ERRORS: Final[Mapping[Fault, tuple[Code, str]]] = {
    Fault.LOCKED: (FILE_LOCKED, "cannot be opened without its password: save it without one, and send it again"),
    Fault.BROKEN: (FILE_BROKEN, "cannot be opened: it is damaged, or a part of it is missing"),
    Fault.ACTIVE: (FILE_ACTIVE, "holds a program: save it as a picture or a PDF, and send that"),
    Fault.PLACED: (FILE_POSITION, "says where it was taken, in a way that cannot be taken out: send it without that"),
    Fault.PIXELS: (FILE_TOO_MANY_PIXELS, "has more pixels than can be shown: send it smaller"),
}
_OPENED: Final = frozenset(
    {
        "application/pdf",
        "image/avif",
        "image/bmp",
        "image/gif",
        "image/heic",
        "image/heif",
        "image/jpeg",
        "image/png",
        "image/svg+xml",
        "image/tiff",
        "image/webp",
    }
)


class Opener:
    """Opens files, one after the other, those of each share in turn."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    async def required(
        self, share: object, name: str, media_type: str, file: BinaryIO, *, positions: bool = True
    ) -> Mapping[Rendition, bytes]:
        """What is kept beside a file of this type. Leaves it at its beginning.

        positions   whether a picture may go on telling where it was taken; otherwise that is overwritten in the file

        Raises FILE_LOCKED, FILE_BROKEN, FILE_ACTIVE, FILE_TOO_MANY_PIXELS, FILE_POSITION.
        """
        opened = await self._opened(share, media_type, file)
        if opened.fault is Fault.PLACED and positions:
            opened = replace(opened, fault=None)
        if not positions:
            await asyncio.to_thread(_overwritten, file, opened.patches)
        if opened.fault is not None:
            code, said = _ERRORS[opened.fault]
            raise code.error(f"the file {name} {said}", "/file")
        return opened.renditions

    async def renditions(self, share: object, media_type: str, file: BinaryIO) -> Mapping[Rendition, bytes]:
        """The same of a picture, and nothing where it cannot be opened."""
        if not media_type.startswith("image/"):
            return {}
        return (await self._opened(share, media_type, file)).renditions

    async def _opened(self, share: object, media_type: str, file: BinaryIO) -> OpenedFile:
        if media_type not in _OPENED:
            return OpenedFile()
        with tempfile.NamedTemporaryFile() as copy:
            await asyncio.to_thread(_copied, file, copy)
            try:
                return await self._workshop.run(share, open_file, copy.name, media_type)
            except WorkKilledError:
                return OpenedFile(fault=Fault.BROKEN)


def open_file(path: str, media_type: str) -> OpenedFile:
    """What comes of opening a file as this type: for a process of its own."""
    from passerelle.resources import reading  # noqa: PLC0415 - loads decoders, which no other process needs

    return reading.read(path, media_type)


def _overwritten(file: BinaryIO, patches: Sequence[tuple[int, bytes]]) -> None:
    for start, data in patches:
        file.seek(start)
        file.write(data)
    file.seek(0)


def _copied(file: BinaryIO, copy: Any) -> None:
    file.seek(0)
    shutil.copyfileobj(file, copy, 1 << 20)
    copy.flush()
    file.seek(0)
