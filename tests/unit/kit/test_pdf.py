"""Texts as PDF: every language has its letters, and what was written is data, never markup of the typesetter."""

from __future__ import annotations

import io

import pikepdf
import pytest

from passerelle.kit.pdf import Note, Paper, printed
from passerelle.languages.service import shipped

TEXT = """## Scope

Between **us** and *you*: [more](https://example.com), `code` #let x = 1 $y$ \\[z\\] @label <b>.

3. three
   - nested
4. four

> quoted

---

###### Deep

    indented
"""


def fonts(pdf: pikepdf.Pdf) -> set[str]:
    found = set()
    for page in pdf.pages:
        for font in page.resources.get("/Font", {}).values():
            found.add(str(font["/BaseFont"]).partition("+")[2])
    return found


@pytest.mark.parametrize("code", shipped())
def test_it_is_tagged_and_in_its_language(code: str) -> None:
    words = shipped()[code]
    title, label = words("page.saved"), words("consent.label")
    paper = Paper("Firma", title, f"{label}\n\n{TEXT}", code, words.direction == "rtl", (Note(label, code, True),))
    pdf = pikepdf.open(io.BytesIO(printed(paper)))
    assert str(pdf.Root["/Lang"]) == code
    assert bool(pdf.Root["/MarkInfo"]["/Marked"]), "screen readers follow the tags"
    assert str(pdf.docinfo["/Title"]) == title
    assert any(name.startswith("Amiri") for name in fonts(pdf)) is (code == "ar")


@pytest.mark.parametrize(
    "text",
    ["", "#", "# \n\n#", "![x](https://example.com/x.png)", "#import \"@preview/a:1.0.0\"", "\\", "]#read(\"/etc/passwd\")[", "* " * 90, "> " * 90],
)  # fmt: skip
@pytest.mark.parametrize("code", ["en", "zh-Hant", "", "x-klingon"])
def test_whatever_somebody_writes_can_be_printed(text: str, code: str) -> None:
    assert printed(Paper("", "", text, code, False)).startswith(b"%PDF-")


def test_a_long_text_has_many_pages() -> None:
    pdf = pikepdf.open(io.BytesIO(printed(Paper("N", "T", "\n\n".join(["A paragraph. " * 40] * 200), "en", False))))
    assert len(pdf.pages) > 10
