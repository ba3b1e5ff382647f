"""Texts by language: which languages a definition speaks, and which texts lack one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from passerelle.definitions.json_schema import Finding
from passerelle.definitions.kinds import Path
from passerelle.definitions.words import quoted, suggest
from passerelle.kit.language_choice import best

Group = Path
"""Texts that must have the same languages: () for all that end users see, a step's path for its own."""


@dataclass
class Translations:
    """Every text by language that a definition has."""

    _groups: dict[Group, list[tuple[Path, tuple[str, ...]]]] = field(default_factory=dict)

    def add(self, text: Mapping[str, str], path: Path, group: Group) -> None:
        self._groups.setdefault(group, []).append((path, tuple(text)))

    def languages(self) -> tuple[str, ...]:
        """What end users can read it in, in the order of first appearance; none where no text says a language."""
        return self._spoken(())

    def missing(self) -> Iterator[Finding]:
        """Every text that lacks a language which another text of its group has."""
        for group, texts in self._groups.items():
            spoken = self._spoken(group)
            around = "step" if group else "definition"
            for path, languages in texts:
                if lacking := [language for language in spoken if language not in languages]:
                    yield (
                        path,
                        f"has no text in {quoted(lacking)}, which other texts of the {around} have; add it",
                    )

    def unspoken(self, known: frozenset[str]) -> Iterator[Finding]:
        """The first text in each language that the pages' own words are not there in; `known`: those that they are."""
        told: set[str] = set()
        for path, languages in self._groups.get((), ()):
            for language in languages:
                if language not in told and best((language,), known) is None:
                    told.add(language)
                    hint = suggest(language, sorted(known), "they are there in")
                    yield (*path, language), f"the pages' own words are not there in `{language}`; {hint}"

    def _spoken(self, group: Group) -> tuple[str, ...]:
        return tuple(dict.fromkeys(language for _, languages in self._groups.get(group, ()) for language in languages))
