"""Where a picture was taken is overwritten in the file: in every format, and nothing else changes."""

from __future__ import annotations

import io

import pillow_heif
import pytest
from PIL import Image

from passerelle.resources.positions import has_position, patched, without_position
from passerelle.resources.reading import read

pillow_heif.register_heif_opener()
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" '
    b'exif:GPSLatitude="52,13.785N"><exif:GPSLongitude>21,0.7335E</exif:GPSLongitude></rdf:Description></rdf:RDF>'
    b'</x:xmpmeta><?xpacket end="w"?>'
)
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff", "HEIF": "image/heic", "AVIF": "image/avif"}  # fmt: skip


def photo(form: str, *, xmp: bytes = b"", position: bool = True) -> bytes:
    image = Image.effect_noise((64, 48), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Camera", 6
    if position:
        exif.get_ifd(0x8825).update(
            {1: "N", 2: (52.0, 13.0, 47.1), 3: "E", 4: (21.0, 0.0, 44.01), 18: "WGS-84", 29: "2026:11:29"}
        )
    target = io.BytesIO()
    more = {"xmp": xmp} if xmp and form not in ("TIFF", "PNG") else {}
    image.save(target, form, exif=exif.tobytes(), **more)
    return target.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("xmp", [b"", XMP], ids=["exif", "xmp too"])
def test_it_is_gone_and_all_else_is_there(form: str, xmp: bytes) -> None:
    content = photo(form, xmp=xmp)
    with opened(content) as before:
        assert has_position(before)
        changed = patched(content, without_position(content, before))
        with opened(changed) as after:
            assert not has_position(after)
            assert (after.getexif()[0x010F], after.getexif().get(0x0112)) == ("Camera", before.getexif().get(0x0112))
            assert after.tobytes() == before.tobytes()
    assert len(changed) == len(content)
    for told in (b"WGS-84", b"2026:11:29", b"52,13.785N", b"21,0.7335E"):
        assert told not in changed


@pytest.mark.parametrize("form", FORMATS)
def test_a_picture_without_one_stays_as_it_is(form: str) -> None:
    content = photo(form, position=False)
    with opened(content) as image:
        assert not has_position(image)
        assert without_position(content, image) == []


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of what is broken
@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_broken_notes_break_nothing(cut: int) -> None:
    content = bytearray(photo("JPEG"))
    start = content.index(b"Exif\0\0") + 6
    content[start + 8 + cut % 120 : start + 12 + cut % 120] = b"\xff\xff\xff\xff"
    with opened(bytes(content)) as image:
        has_position(image)
        assert len(patched(bytes(content), without_position(bytes(content), image))) == len(content)


def test_reading_says_what_to_overwrite(tmp_path: object) -> None:
    path = f"{tmp_path}/photo.jpg"
    with open(path, "wb") as file:
        file.write(photo("JPEG"))
    assert read(path, "image/jpeg").patches
