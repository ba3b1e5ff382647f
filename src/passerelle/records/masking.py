"""Personal values, and others that are not for everybody, do not show where they turn up again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from passerelle.engine.kinds import MASK
from passerelle.kit.json import Json, KnownJson

SHORTEST: Final = 3
"""Shorter texts would hide half of everything else."""
SHORTEST_BARE: Final = 6
"""The shortest text that is recognised when it is written with other spaces, dashes or capitals."""


class Masking:
    """Puts `•••` in the place of values, wherever they turn up again, also written differently."""

    def __init__(self, values: Sequence[Json]) -> None:
        """`values`: texts and numbers, or objects and lists of them."""
        leaves = [leaf for value in values for leaf in _leaves(value)]
        texts = {str(leaf) for leaf in leaves if isinstance(leaf, str | int | float) and not isinstance(leaf, bool)}
        self._texts = sorted((text for text in texts if len(text) >= SHORTEST), key=len, reverse=True)
        self._bare = [bare for text in self._texts if len(bare := _bare(text)) >= SHORTEST_BARE]

    def value(self, value: KnownJson) -> KnownJson:
        """`value` with every personal value inside it masked."""
        if not self._texts:
            return value
        if isinstance(value, dict):
            return {name: self.value(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return MASK if str(value) in self._texts else value
        return value

    def _text(self, text: str) -> str:
        masked = text
        for personal in self._texts:
            masked = masked.replace(personal, MASK)
        if masked == text and self._bare and any(personal in _bare(text) for personal in self._bare):
            return MASK
        return masked


def _leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield value


def _bare(text: str) -> str:
    return "".join(character for character in text if character.isalnum()).casefold()
