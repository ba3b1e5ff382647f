"""Where a picture was taken: found in what the camera noted in it, and written over.

Each place is overwritten in the file as it is, so that nothing else of it changes: not a pixel, not its size.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from PIL import Image

Patch = tuple[int, bytes]
"""Where bytes stand in the file, and what takes their place."""

_GPS: Final = 0x8825
"""The tag that leads to the position (Exif 2.32, 4.6.3)."""
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Bytes of a value, by its type."""
_TIFF: Final = re.compile(rb"II\*\x00|MM\x00\*")
_NOTES: Final = re.compile(rb"(?:Exif\x00\x00|eXIf)(?=II\*\x00|MM\x00\*)")
_PACKETS: Final = re.compile(rb"<x:xmpmeta.*?</x:xmpmeta>", re.DOTALL)
_SAID: Final = re.compile(rb"GPS[A-Za-z]{1,40}\s*=\s*[\"']([^\"'<>]{1,400})[\"']|GPS[A-Za-z]{1,40}>([^<>]{1,400})</")
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MOST: Final = 50
"""Notes of one file that are looked at."""


def has_position(image: Image.Image) -> bool:
    """Whether anybody who opens it learns where it was taken."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    said = _SAID.search(xmp.encode() if isinstance(xmp, str) else bytes(xmp))
    return _has_notes(image) or any(part.strip() for part in (said.groups() if said else ()) if part)


def _has_notes(image: Image.Image) -> bool:
    try:
        return bool(image.getexif().get_ifd(_GPS))
    except Exception:  # Pillow raises all kinds of errors on notes that are broken: nobody reads these
        return False


def without_position(content: bytes, image: Image.Image) -> list[Patch]:
    """What has to be overwritten; nothing where there is no position, or none that can be found."""
    patches = [patch for start in _starts(content, image) for patch in _of_tiff(content, start)]
    for packet in list(_PACKETS.finditer(content))[:_MOST]:
        for said in _SAID.finditer(content, packet.start(), packet.end()):
            group = 1 if said.group(1) is not None else 2
            patches.append((said.start(group), b" " * len(said.group(group))))
    return [*patches, *_checksums(content, patches)] if content.startswith(_PNG) else patches


def patched(content: bytes, patches: Sequence[Patch]) -> bytes:
    """The content with its patches."""
    changed = bytearray(content)
    for start, data in patches:
        changed[start : start + len(data)] = data
    return bytes(changed)


def _starts(content: bytes, image: Image.Image) -> list[int]:
    """Where notes begin, which are small TIFF files; a TIFF is one itself."""
    starts = {found.end() for found in list(_NOTES.finditer(content))[:_MOST]}
    known = bytes(image.info.get("exif") or b"").removeprefix(b"Exif\x00\x00")
    if known and (start := content.find(known)) >= 0:
        starts.add(start)
    if _TIFF.match(content):
        starts.add(0)
    return sorted(starts)


def _of_tiff(content: bytes, start: int) -> Iterator[Patch]:
    order = "<" if content[start : start + 1] == b"I" else ">"
    (first,) = _read(order + "I", content, start + 4) or (0,)
    for _, _, _, value in _entries(content, start + first, order, _GPS):
        (pointer,) = struct.unpack(order + "I", value)
        place = start + pointer
        for kind, count, at, inline in _entries(content, place, order):
            length = _SIZES.get(kind, 1) * count
            if length > len(inline):
                (beyond,) = struct.unpack(order + "I", inline)
                length = max(0, min(length, len(content) - start - beyond))
                yield start + beyond, bytes(length)
            yield at, bytes(12)
        if _read(order + "H", content, place) is not None:
            yield place, bytes(2)


def _entries(content: bytes, place: int, order: str, tag: int | None = None) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, count, place and value of the entries of a directory; of `tag` alone where it is given."""
    (number,) = _read(order + "H", content, place) or (0,)
    for at in range(place + 2, place + 2 + 12 * number, 12):
        entry = _read(order + "HHI4s", content, at)
        if entry is not None and tag in (None, entry[0]):
            yield entry[1], entry[2], at, entry[3]


def _read(form: str, content: bytes, place: int) -> tuple[Any, ...] | None:
    return struct.unpack_from(form, content, place) if 0 <= place <= len(content) - struct.calcsize(form) else None


def _checksums(content: bytes, patches: Sequence[Patch]) -> Iterator[Patch]:
    """Of the chunks of a PNG in which something was overwritten."""
    changed, place = patched(content, patches), len(_PNG)
    while (head := _read(">I4s", content, place)) is not None:
        end = place + 8 + head[0]
        if end + 4 > len(content):
            return
        if any(place < start < end for start, _ in patches):
            yield end, struct.pack(">I", zlib.crc32(changed[place + 4 : end]))
        place = end + 4
