"""The pages' words: every language says everything, and the right one is chosen."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from passerelle.end_user.pages import rendering
from passerelle.engine.user_kinds import in_markdown
from passerelle.kit.errors import CommandError
from passerelle.kit.markdown import markdown
from passerelle.languages.language import text_in
from passerelle.languages.service import Languages, places, shipped

SOURCE = Path(rendering.__file__).parent
EN = shipped()["en"]


def test_the_languages_that_are_shipped() -> None:
    assert set(shipped()) == {"en", "pl", "de", "fr", "es", "it", "uk", "cs", "ro", "ar"}
    assert next(iter(shipped())) == "en"
    assert {code for code, one in shipped().items() if one.direction == "rtl"} == {"ar"}


@pytest.mark.parametrize("code", [code for code in shipped() if code != "en"])
def test_every_language_has_every_text_with_the_same_places(code: str) -> None:
    other = shipped()[code]
    for here, there in ((other.texts, EN.texts), *((other.emails.get(k, {}), v) for k, v in EN.emails.items())):
        assert set(here) == set(there)
        assert {key: places(text) for key, text in here.items()} == {key: places(text) for key, text in there.items()}
        assert all(text.strip() for text in here.values())
    # A text that was left in English is the same word by chance only where it is short.
    assert [key for key, text in other.texts.items() if text == EN.texts[key] and len(text) > 20] == []


def test_every_text_that_is_asked_for_exists_and_no_other() -> None:
    folders = (SOURCE, SOURCE.parent / "widget", SOURCE.parent / "session")
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".html")]
    source = "\n".join(path.read_text() for path in files)
    named = set(
        re.findall(
            r"""["']((?:page|foot|form|problem|start|code|upload|consent|phone|handover|wait|review|end|trouble|widget)\.[\w-]+)["']""",
            source,
        )
    )
    assert {key for key in named - set(EN.texts) if not key.endswith((".html", ".js"))} == set()
    # Texts whose keys are put together: by state, by format, by type, by part.
    made = re.compile(
        r"(handover_done|handover_gone|spent|expired|superseded|deleted|cancelled|finished|failed|unknown|session|session_frame|token_\w+|missing|foreign|too_large|trouble|review)\.(title|lead|next)|problem\.(format|type|enter|date|age|check)_.+|form\.(day|month|year)|page\.(saved|unsaved|offline|slow|again|late)|foot\.(privacy|imprint|support|contact)"
    )
    assert {key for key in set(EN.texts) - named if not made.fullmatch(key)} == set()


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ((None, None), "en"),
        (("pl",), "pl"),
        (("pl-PL",), "pl"),
        (("pl_PL",), "pl"),
        (("nl",), "en"),
        (("nl", "pl"), "pl"),
        (("nl-BE, pl;q=0.8, en;q=0.9",), "en"),
        (("nl, pl;q=0.9, en;q=0.1",), "pl"),
        (("de-AT",), "de"),
        (("es-419",), "es"),
        (("pl;q=0, en",), "en"),
        (("*",), "en"),
        (("", ";;;", "pl"), "pl"),
        (("x" * 10_000,), "en"),
    ],
)
def test_the_language_of_the_first_wish_that_we_speak(wishes: tuple[str | None, ...], code: str) -> None:
    assert Languages().words(wishes).code == code


@pytest.mark.parametrize(
    ("wish", "named", "read"),
    [
        ("pt-PT", ("pt-BR", "en"), "pt-BR"),
        ("pt", ("pt-BR", "pt-PT"), "pt-BR"),
        ("pt-AO", ("pt-BR", "pt-PT", "pt-AO"), "pt-AO"),
        ("zh-CN", ("zh-Hant", "zh-Hans"), "zh-Hans"),
        ("zh-TW", ("zh-Hans", "zh-Hant"), "zh-Hant"),
        ("zh-HK", ("en", "zh-Hans", "zh-Hant"), "zh-Hant"),
        ("zh-TW", ("zh-Hans", "en"), "zh-Hans"),
        ("sr-Latn-RS", ("sr-Cyrl", "sr-Latn"), "sr-Latn"),
        ("en-GB", ("en-US", "en-GB"), "en-GB"),
        ("iw", ("en", "he"), "he"),
        ("nb-NO", ("en", "no"), "no"),
        ("fr, de;q=0.5", ("de", "en"), "de"),
        ("fr", ("de", "en"), "en"),
        ("fr", ("de", "pl"), "de"),
    ],
)
def test_a_region_or_script_finds_the_definitions_text(wish: str, named: tuple[str, ...], read: str) -> None:
    assert Languages().choose((wish,), named).page == read


def test_the_definitions_texts_and_our_own_words_are_chosen_apart() -> None:
    found = Languages().choose(("pt-BR, fr;q=0.8",), ("pt-BR", "en"))
    assert (found.page, found.code, found("page.continue")) == ("pt-BR", "fr", "Continuer")
    assert found.own == ' lang="fr" dir="ltr"'
    assert found.of({"en": "Name", "pt-BR": "Nome"}) == "Nome"
    same = Languages().choose(("de-CH",), ("de",))
    assert (same.page, same.own) == ("de", "")
    assert Languages().choose(("ar",)).page_direction == "rtl"


def test_values_keep_their_direction_in_a_text_from_right_to_left() -> None:
    assert shipped()["ar"]("start.privacy", name="ACME (Ltd.)").count("\u2068ACME (Ltd.)\u2069") == 1
    assert shipped()["pl"]("start.privacy", name="ACME (Ltd.)").count("\u2068") == 0


def test_the_folder_of_a_deployment_adds_a_language_and_replaces_texts(tmp_path: Path) -> None:
    (tmp_path / "nl.yaml").write_text(
        'name: Nederlands\ndirection: ltr\ndecimal: ","\ntexts:\n  page.continue: Verder\n'
    )
    (tmp_path / "de.yaml").write_text("texts:\n  page.continue: Los\nemails:\n  code:\n    heading: Kennwort\n")
    ours = Languages(tmp_path)
    assert ours.words(("nl-BE",))("page.continue") == "Verder"
    assert ours.words(("nl-BE",))("page.back") == "Back"
    assert ours.words(("de",))("page.continue") == "Los"
    assert ours.words(("de",)).emails["code"]["heading"] == "Kennwort"
    assert ours.words(("de",))("page.back") == "Zurück"
    assert "nl" in [one.code for one in ours.offered(())]


def test_what_is_wrong_with_files_of_a_deployment_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "nl.yaml").write_text("texts:\n  page.continu: Verder\n  page.progress: Stap {stap}\n")
    (tmp_path / "de.yaml").write_text("words: {}\ndirection: up\n")
    with pytest.raises(CommandError) as found:
        Languages(tmp_path)
    said = str(found.value)
    for part in (
        "nl.yaml: a new language needs",
        "page.continu`",
        "{step}, {steps}",
        "de.yaml: there is no `words`",
        "ltr or rtl",
    ):
        assert part in said
    with pytest.raises(CommandError, match="no folder"):
        Languages(tmp_path / "missing")


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


@pytest.mark.parametrize(
    "value",
    [
        "[x](https://example.com)", "<https://example.com>", "**bold** _and_ `code`", "# Acme", "1. Acme", "- Acme", "> Acme",
        "Acme\n\n    code", "Acme\n# Ltd", "Acme\n===", "~~~\nAcme", "a\\*b", "&lt;b&gt;", "![x](y)", "***", "Ärzte & Söhne +1",
    ],
)  # fmt: skip
def test_a_value_in_markdown_is_the_text_that_it_is(value: str) -> None:
    """Beside words, at the start of a line, and all by itself."""
    for before in ("Of ", "", "First line\n", "- "):
        html = str(markdown(f"{before}{in_markdown(before, value)}"))
        inner = html.replace("<p>", "").replace("</p>", "").replace("<ul>", "").replace("</ul>", "")
        inner = re.sub(r"</?li>|<br />", "", inner)
        assert "<" not in inner, html
        shown = unescape(re.sub(r"<[^>]+>", "", html))
        assert " ".join(value.split()) in " ".join(shown.split())
