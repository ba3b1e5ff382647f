"""Text as it comes in: what looks the same is the same, and nothing that can be seen is lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.kit import phones
from passerelle.kit.text import composed, number_text, readable, visible

UNSEEN = "\u200b\ufeff\u202a\u202c\u200e\u00ad\u2060"


@pytest.mark.parametrize("character", UNSEEN + "\u200d\u2066\ufe0f")
def test_invisible_characters_make_no_other_number(character: str) -> None:
    assert visible(f"{character}ada@exa{character}mple.com {character}") == "ada@example.com"


@pytest.mark.parametrize(
    ("typed", "digits"),
    [("５２５２２４８４８１", "5252248481"), ("٥٢٥", "525"), ("525\u2011224\u201384\u221281", "525-224-84-81")],
)
def test_digits_and_dashes_of_every_script_are_those_of_numbers(typed: str, digits: str) -> None:
    assert number_text(typed) == digits


def test_a_name_keeps_what_makes_its_letters() -> None:
    assert readable("Zoe\u0308\u200b") == "Zoë"
    assert readable("می\u200cخواهم") == "می\u200cخواهم"
    assert readable("👩\u200d🔬") == "👩\u200d🔬"


@given(st.text())
def test_texts_that_are_canonically_equal_become_the_same(text: str) -> None:
    assert composed(unicodedata.normalize("NFD", text)) == composed(text)
    assert unicodedata.normalize("NFD", composed(text)) == unicodedata.normalize("NFD", text)


@given(st.text())
def test_what_was_cleaned_is_clean(text: str) -> None:
    for clean in (visible, readable, number_text):
        assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+48 22 333 45 67", "+48223334567"),
        ("+48 22 333 45 67 ext. 12", "+48223334567;ext=12"),
        ("tel:+48223334568;ext=9", "+48223334568;ext=9"),
        ("+48223334569,,12#", "+48223334569;ext=12"),
        ("+48 (0)22 444 45 67", "+48224444567"),
        ("+44 (0) 20 7946 0958", "+442079460958"),
        ("+7 (8) 495 123 45 67", "+74951234567"),
        ("+39 (0)6 69812345", "+390669812345"),
        ("\u202a+48\u00a0600\u00a0100\u00a0200\u202c", "+48600100200"),
        ("+٤٨٦٠٠١٠٠٢٠٠", "+48600100200"),
        ("+48 000 000 000", None),
        ("+48 022 444 45 6", None),
        ("22 123 45 67", None),
        ("", None),
        ("hello", None),
        ("+" + "4" * 300, None),
    ],
)
def test_a_phone_number_is_written_in_one_way(typed: str, stored: str | None) -> None:
    assert phones.stored(typed) == stored
    assert stored is None or phones.stored(stored) == stored


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_phone_numbers(text: str) -> None:
    assert phones.is_phone(text) is (phones.stored(text) is not None)
