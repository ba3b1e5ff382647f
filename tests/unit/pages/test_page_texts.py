"""The pages' words: every language says everything, and the right one is chosen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from passerelle.pages import texts
from passerelle.pages.rendering import markdown
from passerelle.pages.texts import choose, languages, text_in

SOURCE = Path(texts.__file__).parent
EN = languages()["en"]


def _places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("code", [code for code in languages() if code != "en"])
def test_every_language_has_every_text_with_the_same_places(code: str) -> None:
    other = languages()[code]
    assert set(other.texts) == set(EN.texts)
    assert {key: _places(text) for key, text in other.texts.items()} == {
        key: _places(text) for key, text in EN.texts.items()
    }
    assert all(text.strip() for text in other.texts.values())


def test_every_text_that_is_asked_for_exists_and_no_other() -> None:
    folders = (SOURCE, SOURCE.parent / "widget")
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".html")]
    source = "\n".join(path.read_text() for path in files)
    named = set(
        re.findall(
            r"""["']((?:page|form|problem|start|code|upload|consent|wait|review|end|trouble|widget)\.[\w-]+)["']""",
            source,
        )
    )
    assert {key for key in named - set(EN.texts) if not key.endswith((".html", ".js"))} == set()
    # Texts whose keys are put together: by state, by format, by type, by part.
    made = re.compile(
        r"(spent|expired|superseded|deleted|cancelled|finished|failed|unknown|session|session_frame|token_\w+|missing|foreign|too_large|trouble|review)\.(title|lead|next)|problem\.(format|type)_.+|form\.(day|month|year)|page\.(saved|unsaved|offline)"
    )
    assert {key for key in set(EN.texts) - named if not made.fullmatch(key)} == set()


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ((None, None), "en"),
        (("pl",), "pl"),
        (("pl-PL",), "pl"),
        (("pl_PL",), "pl"),
        (("de",), "en"),
        (("de", "pl"), "pl"),
        (("de-AT, pl;q=0.8, en;q=0.9",), "en"),
        (("de, pl;q=0.9, en;q=0.1",), "pl"),
        (("pl;q=0, en",), "en"),
        (("*",), "en"),
        (("", ";;;", "pl"), "pl"),
        (("x" * 10_000,), "en"),
    ],
)
def test_the_language_of_the_first_wish_that_we_speak(wishes: tuple[str | None, ...], code: str) -> None:
    assert choose(*wishes).code == code


def test_a_definitions_text_falls_back_to_a_language_that_it_has() -> None:
    assert text_in({"en": "Name", "pl": "Nazwa"}, "pl") == "Nazwa"
    assert text_in({"en": "Name", "pl": "Nazwa"}, "pl-PL") == "Nazwa"
    assert text_in({"de": "Name"}, "pl") == "Name"
    assert text_in("Name", "pl") == "Name"
    assert text_in(None, "pl") == ""


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("[x](javascript:alert(1))", "<a"),
        ("![x](https://example.com/pixel.png)", "<img"),
        ("<img src=x onerror=alert(1)>", "<img"),
        ("<https://example.com/?a=\"onclick=x\">", "onclick=x\""),
    ],
)  # fmt: skip
def test_markdown_of_a_definition_never_becomes_more_than_text(text: str, without: str) -> None:
    assert without not in markdown(text)


def test_markdown_makes_paragraphs_lists_and_links() -> None:
    assert markdown("**We** keep\n\n- [it](https://example.com)") == (
        '<p><strong>We</strong> keep</p>\n<ul>\n<li><a href="https://example.com">it</a></li>\n</ul>\n'
    )
