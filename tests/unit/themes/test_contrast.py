"""Colours that an operator chooses: what cannot be read is refused with one that can."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.themes.contrast import EDGE, TEXT, ratio, readable
from passerelle.themes.css import css_variables
from passerelle.themes.palettes import colours, problems

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),  # the well-known grey that just fails
        ("#767676", "#ffffff", 4.54),  # and the one that just passes
        ("#0000ff", "#ffff00", 8.0),
    ],
)
def test_ratios_are_those_of_wcag(one: str, other: str, expected: float) -> None:
    assert ratio(one, other) == pytest.approx(expected, abs=0.01)
    assert ratio(other, one) == ratio(one, other)


@given(COLOURS, COLOURS)
def test_the_nearest_readable_colour_can_be_read(colour: str, back: str) -> None:
    found = readable(colour, (back,))
    assert found is not None, "black or white can be read on any colour"
    assert ratio(found, back) >= TEXT
    if ratio(colour, back) >= TEXT:
        assert found == colour


@given(COLOURS)
def test_an_accent_alone_makes_two_whole_schemes_that_can_be_read(accent: str) -> None:
    """An operator who gives one good colour gets no error, and a dark scheme in the same tone."""
    given_light = {"accent": readable(accent, ("#ffffff", "#f5f6f8")) or "#000000"}
    assert problems(given_light, {}) == []
    both = colours(given_light, {})
    for palette in (both.light, both.dark):
        for back in (palette.background, palette.surface):
            for front in (palette.text, palette.muted, palette.accent, palette.danger, palette.success):
                assert ratio(front, back) >= TEXT
            assert ratio(palette.border, back) >= EDGE
        assert ratio(palette.accent_text, palette.accent) >= TEXT


def test_a_pair_that_fails_is_named_with_its_ratio_and_a_colour_that_passes() -> None:
    found = problems({"accent": "#ffcc00", "text": "#999999"}, {"background": "#000000", "text": "#333333"})
    assert [problem.pointer for problem in found] == [
        "/colours/light/text", "/colours/light/text", "/colours/light/accent", "/colours/light/accent",
        "/colours/dark/text", "/colours/dark/text",
    ]  # fmt: skip
    yellow = found[3]
    assert "`accent` #ffcc00 on `surface` #ffffff has a contrast of 1.51" in yellow.message
    better = yellow.message.rsplit(" ", 1)[1]
    assert ratio(better, "#ffffff") >= TEXT


def test_a_background_without_text_gets_a_text_that_can_be_read_on_it() -> None:
    both = colours({"background": "#101010"}, {})
    assert ratio(both.light.text, "#101010") >= TEXT
    assert problems({"background": "#101010"}, {}) == []


def test_the_stylesheet_has_every_variable_in_both_schemes() -> None:
    css = css_variables(colours({}, {}), "serif")
    light, dark = css.split("@media (prefers-color-scheme:dark)")
    for name in ("accent", "accent-text", "background", "surface", "text", "muted", "border", "danger", "success"):
        assert f"--{name}:#" in light
        assert f"--{name}:#" in dark
    assert "--font:Charter" in light
