"""Files as phones and scanners make them: what they are told as, whether they open, and what is shown of them."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from passerelle.resources.content import rightly_named, type_of_content
from passerelle.resources.opening import PIXELS, Fault, OpenedFile, Rendition
from passerelle.resources.reading import read
from tests.photos import photo

BRANDS = {
    "an iPhone's": (b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHEMiPrmiafMiHBheic", "image/heic"),
    "an iPhone's since iOS 17": (b"\0\0\0\x2cftypheic\0\0\0\0mif1MiHEMiPrmiafMiHBheictmap\0\0\0\0", "image/heic"),
    "a Samsung's": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
    "one whose first brand is the container's": (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"),
    "ten bits": (b"\0\0\0\x1cftypheix\0\0\0\0mif1heixmiaf", "image/heic"),
    "AVIF": (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B", "image/avif"),
}


@pytest.mark.parametrize("name", BRANDS)
def test_a_photo_is_known_by_its_brands_whatever_it_is_called(name: str) -> None:
    head, expected = BRANDS[name]
    head += b"\0\0\x0f\xe6meta" + b"\0" * 500
    extension = expected.removeprefix("image/")
    for called in (f"IMG_1.{extension.upper()}", "IMG_1"):
        assert type_of_content(called, head) == expected


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n", b"junk of a printer " * 50])
def test_a_pdf_may_have_bytes_before_its_beginning(before: bytes) -> None:
    assert type_of_content("scan.pdf", before + b"%PDF-1.7\n") == "application/pdf"


@pytest.mark.parametrize(
    ("name", "kind", "mended"),
    [
        ("card.pdf", "JPEG", "card.jpg"),
        ("card", "JPEG", "card.jpg"),
        ("card.jfif", "JPEG", "card.jfif"),
        ("IMG_1.HEIC", "JPEG", "IMG_1.jpg"),
        ("IMG_1.jpg", "HEIF", "IMG_1.heic"),
        ("Agreement of 12.03", "PNG", "Agreement of 12.03.png"),
    ],
)
def test_a_picture_gets_the_name_that_its_content_has(name: str, kind: str, mended: str) -> None:
    assert rightly_named(name, photo(kind)) == mended


@pytest.mark.parametrize(("name", "head"), [("page.pdf", b"<html></html>"), ("a.docx", b"PK\3\4"), ("notes.txt", b"x")])
def test_what_else_is_in_a_file_keeps_the_name_that_it_is_judged_by(name: str, head: bytes) -> None:
    assert rightly_named(name, head) == name


def opened(folder: Path, content: bytes, media_type: str) -> OpenedFile:
    (folder / "file").write_bytes(content)
    return read(str(folder / "file"), media_type)


def test_a_photo_that_was_held_upright_is_shown_so_without_where_it_was_taken(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (52.0, 13.0, 5.0)
    for kind, media_type in (("JPEG", "image/jpeg"), ("TIFF", "image/tiff")):
        found = opened(tmp_path, photo(kind, (600, 400), exif=exif), media_type)
        for content in found.renditions.values():
            shown = Image.open(io.BytesIO(content))
            assert shown.height > shown.width
            assert not shown.getexif()
            beside = shown.convert("RGB").crop((shown.width - 9, 9, shown.width - 5, 13))
            assert beside.getchannel("R").histogram()[200:] != [0] * 56
            assert beside.getchannel("G").histogram()[200:] == [0] * 56, "what was above stands at the right"


@pytest.mark.parametrize(
    ("kind", "media_type", "kept"),
    [
        ("JPEG", "image/jpeg", {Rendition.PREVIEW}),
        ("PNG", "image/png", {Rendition.PREVIEW}),
        ("AVIF", "image/avif", {Rendition.PREVIEW}),
        ("HEIF", "image/heic", {Rendition.PREVIEW, Rendition.IMAGE}),
        ("TIFF", "image/tiff", {Rendition.PREVIEW, Rendition.IMAGE}),
    ],
)
def test_only_what_browsers_do_not_show_is_copied_whole(
    tmp_path: Path, kind: str, media_type: str, kept: set[Rendition]
) -> None:
    assert set(opened(tmp_path, photo(kind), media_type).renditions) == kept


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(tmp_path / "plain.pdf")
        document.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="o", user="u"))
        document.save(tmp_path / "unprintable.pdf", encryption=pikepdf.Encryption(owner="o", user=""))
    pdf = {path.stem: path.read_bytes() for path in tmp_path.glob("*.pdf")}
    side = math.isqrt(PIXELS) + 1
    Image.new("1", (side, side)).save(tmp_path / "many.png")
    many = (tmp_path / "many.png").read_bytes()
    for content, media_type, fault in (
        (pdf["plain"], "application/pdf", None),
        (b"\r\n" + pdf["plain"], "application/pdf", None),
        (pdf["unprintable"], "application/pdf", None),
        (pdf["locked"], "application/pdf", Fault.LOCKED),
        (pdf["plain"][:90], "application/pdf", Fault.BROKEN),
        (photo("JPEG", (600, 400))[:-500], "image/jpeg", Fault.BROKEN),
        (b"<html>", "image/jpeg", Fault.BROKEN),
        (photo("PNG"), "image/jpeg", Fault.BROKEN),
        (many, "image/png", Fault.PIXELS),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>", "image/svg+xml", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "image/svg+xml", Fault.ACTIVE),
        (b"<svg><a href=' java\tscript:x()'/></svg>", "image/svg+xml", Fault.ACTIVE),
        (b"<svg><script>x()</script></svg>", "image/svg+xml", Fault.ACTIVE),
        (b"<svg><g></svg>", "image/svg+xml", Fault.BROKEN),
    ):
        assert opened(tmp_path, content, media_type).fault == fault, (content[:40], media_type)
