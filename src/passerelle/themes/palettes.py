"""From the colours that an operator gives to two whole schemes; what cannot be read is refused with a better one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from passerelle.kit.errors import Code, Problem
from passerelle.themes.contrast import EDGE, TEXT, mix, ratio, readable
from passerelle.themes.models import Colours, Palette

CONTRAST_TOO_LOW: Final = Code(
    "CONTRAST_TOO_LOW",
    400,
    "Two colours of the theme are too alike for text (WCAG 2.2 AA); the message names a colour near it that is not.",
)

Given = Mapping[str, str]
"""Colours of one scheme by the names of `Palette`'s first five fields; any may be absent."""

_LIGHT: Final = {"accent": "#2d56c9", "background": "#f5f6f8", "surface": "#ffffff", "text": "#1b1f27"}
_DARK: Final = {"accent": "#a3bcff", "background": "#14161b", "surface": "#1e2128", "text": "#eceef2"}
_DANGER: Final = {"light": "#b3261e", "dark": "#ffb4ab"}
_SUCCESS: Final = {"light": "#1d6b3a", "dark": "#8fd6a5"}
_PAIRS: Final = (
    ("text", "background"),
    ("text", "surface"),
    ("accent", "background"),
    ("accent", "surface"),
    ("accent_text", "accent"),
)


def colours(light: Given, dark: Given) -> Colours:
    """Both schemes. What is not given is ours, made readable on what is; the dark accent follows the light one."""
    day = _palette("light", light, _LIGHT)
    following = {**_DARK, "accent": light["accent"]} if "accent" in light else _DARK
    return Colours(day, _palette("dark", dark, following))


def problems(light: Given, dark: Given) -> list[Problem]:
    """Every pair that cannot be read, with its ratio and a colour that would do."""
    both = colours(light, dark)
    return [
        *_problems("light", light, both.light),
        *_problems("dark", dark, both.dark),
    ]


def _palette(scheme: str, given: Given, base: Given) -> Palette:
    background = given.get("background", base["background"])
    surface = given.get("surface", given.get("background", base["surface"]))
    backs = (background, surface)
    text = given.get("text") or _near(base["text"], backs)
    accent = given.get("accent") or _near(base["accent"], backs)
    return Palette(
        accent=accent,
        accent_text=given.get("accent_text") or max("#ffffff", "#000000", key=lambda one: ratio(one, accent)),
        background=background,
        surface=surface,
        text=text,
        muted=_near(mix(text, background, 0.68), backs),
        border=_near(mix(text, background, 0.42), backs, EDGE),
        danger=_near(_DANGER[scheme], backs),
        success=_near(_SUCCESS[scheme], backs),
    )


def _near(colour: str, backs: tuple[str, ...], wanted: float = TEXT) -> str:
    return readable(colour, backs, wanted) or colour


def _problems(scheme: str, given: Given, palette: Palette) -> Iterator[Problem]:
    for front, back in _PAIRS:
        found = ratio(getattr(palette, front), getattr(palette, back))
        if found < TEXT:
            yield _problem(scheme, given, palette, front, back)


def _problem(scheme: str, given: Given, palette: Palette, front: str, back: str) -> Problem:
    wrong = front if front in given or back not in given else back
    other = back if wrong == front else front
    colour, against = getattr(palette, wrong), getattr(palette, other)
    better = readable(colour, (against,))
    return CONTRAST_TOO_LOW.problem(
        f"`{_json(wrong)}` {colour} on `{_json(other)}` {against} has a contrast of {ratio(colour, against):.2f}, "
        f"and text needs {TEXT}: take {better}",
        f"/colours/{scheme}/{_json(wrong)}",
    )


def _json(name: str) -> str:
    return "accentText" if name == "accent_text" else name
