"""Pictures for tests, as phones and scanners make them."""

from __future__ import annotations

import io
from typing import Any

import pillow_heif
from PIL import Image


def photo(kind: str, size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    """A picture in a format of Pillow's: white, with a red upper half, so that one sees which way up it is."""
    pillow_heif.register_heif_opener()
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, size[0], size[1] // 2))
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()
