"""Words for messages: the nearest known name, a list in a sentence, what kind of value something is."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from passerelle.kit.json import Json

TYPE_NAMES: Final = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "list": "a list",
    "null": "null",
}
"""JSON Schema's types, and those of parameters, in sentences."""


def type_of(value: object) -> str:
    """The JSON type of a value, as JSON Schema names it. Whole numbers are numbers."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def is_a(value: object) -> str:
    """`a text`, `a number`…: what a value is."""
    return TYPE_NAMES[type_of(value)]


def quoted(names: Iterable[Json]) -> str:
    """`` `a`, `b` ``"""
    return ", ".join(f"`{name}`" for name in names)


def one_of(words: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`"""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` was probably meant to be."""
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def suggest(word: str, known: Iterable[str], listing: str) -> str:
    """`did you mean …?` where a known name is near, otherwise all of them after the word `listing`."""
    names = list(known)
    if (near := nearest(word, names)) is not None:
        return f"did you mean `{near}`?"
    return f"{listing} {quoted(names)}" if names else f"{listing} none"
