"""Opening one file, by the libraries that decode it. Nothing here bounds time and memory: see `opening`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pikepdf
import pillow_heif
from PIL import AvifImagePlugin, Image, ImageOps

from passerelle.resources.opening import JPEG_PIXELS, PIXELS, Fault, OpenedFile, Rendition
from passerelle.resources.positions import Patch, has_position, patched, without_position

PREVIEW: Final = 360
"""Pixels of the longer side of a small copy."""
SHOWN: Final = 4_000
"""Pixels of the longer side of a copy that is shown in place of the file."""

_FORMATS: Final[Mapping[str, str]] = {
    "image/avif": "AVIF",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/heic": "HEIF",
    "image/heif": "HEIF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
}
"""What Pillow may open a file as: what its content says, and nothing else."""
_UNSHOWN: Final = frozenset({"image/heic", "image/heif", "image/tiff"})
"""What not every browser shows."""
_PROGRAMS: Final = frozenset({"script", "foreignobject", "iframe", "object", "embed", "handler", "listener"})

# Pixels are counted here; each thread of a decoder takes memory of its own.
Image.MAX_IMAGE_PIXELS = None
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pillow_heif.options.DECODE_THREADS = 1
pillow_heif.register_heif_opener()


class _FaultError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def read(path: str, media_type: str) -> OpenedFile:
    """What comes of opening a file as this type."""
    try:
        if media_type == "application/pdf":
            return _pdf(path)
        return _svg(path) if media_type == "image/svg+xml" else _picture(path, media_type)
    except _FaultError as error:
        return OpenedFile(fault=error.fault)
    except MemoryError:
        raise
    except Exception:
        # Decoders raise all kinds of errors on what strangers send; each says that they cannot go on.
        return OpenedFile(fault=Fault.BROKEN)


def _pdf(path: str) -> OpenedFile:
    try:
        with pikepdf.open(path) as document:
            if not document.pages:
                raise _FaultError(Fault.BROKEN)
    except pikepdf.PasswordError:
        raise _FaultError(Fault.LOCKED) from None
    return OpenedFile()


def _svg(path: str) -> OpenedFile:
    """A drawing, unless it holds a program. Expat bounds what entities may become."""
    root = None
    for _, element in ElementTree.iterparse(path, events=("start",)):  # noqa: S314 - as said
        name = element.tag.rpartition("}")[2].lower()
        root = root or name
        values = ("".join(value.split()).lower() for value in element.attrib.values())
        acts = any(key.rpartition("}")[2].lower().startswith("on") for key in element.attrib)
        if name in _PROGRAMS or acts or any(value.startswith("javascript:") for value in values):
            raise _FaultError(Fault.ACTIVE)
    if root != "svg":
        raise _FaultError(Fault.BROKEN)
    return OpenedFile()


def _picture(path: str, media_type: str) -> OpenedFile:
    with Image.open(path, formats=[_FORMATS[media_type]]) as image:
        if image.width * image.height > (JPEG_PIXELS if media_type == "image/jpeg" else PIXELS):
            raise _FaultError(Fault.PIXELS)
        patches, fault = _position(path, media_type, image)
        if media_type not in _UNSHOWN:
            return OpenedFile({Rendition.PREVIEW: _jpeg(_smaller(image, PREVIEW), 75)}, patches, fault)
        whole = _smaller(image, SHOWN)
        shown = _jpeg(whole, 88)
        return OpenedFile(
            {Rendition.IMAGE: shown, Rendition.PREVIEW: _jpeg(_smaller(whole, PREVIEW), 75)}, patches, fault
        )


def _position(path: str, media_type: str, image: Image.Image) -> tuple[list[Patch], Fault | None]:
    """How to take out of a picture where it was taken, and whether that cannot be done."""
    if not has_position(image):
        return [], None
    content = Path(path).read_bytes()
    patches = without_position(content, image)
    with Image.open(io.BytesIO(patched(content, patches)), formats=[_FORMATS[media_type]]) as after:
        return patches, Fault.PLACED if has_position(after) else None


def _smaller(image: Image.Image, side: int) -> Image.Image:
    """The picture the right way up, no longer than `side`, on white where one can see through it."""
    image.thumbnail((side, side))
    turned = ImageOps.exif_transpose(image)
    if turned.has_transparency_data:
        layer = turned.convert("RGBA")
        turned = Image.new("RGB", layer.size, "white")
        turned.paste(layer, mask=layer.getchannel("A"))
    profile = image.info.get("icc_profile") if image.mode == "RGB" else None
    plain = turned.convert("RGB")
    plain.info = {"icc_profile": profile} if profile else {}
    return plain


def _jpeg(image: Image.Image, quality: int) -> bytes:
    target = io.BytesIO()
    image.save(target, "JPEG", quality=quality, optimize=True, icc_profile=image.info.get("icc_profile"))
    return target.getvalue()
